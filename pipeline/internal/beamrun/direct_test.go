package beamrun

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
)

func init() { register.Function1x0(hanging) }

// hang is what hanging waits for, whatever its context says.
var hang chan struct{}

func hanging([]byte) { <-hang }

// TestDirectHangs: an interrupt ends a job that does not hear of it, too.
func TestDirectHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang = make(chan struct{})
		p, s := beam.NewPipelineWithRoot()
		beam.ParDo0(s, hanging, beam.Impulse(s))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			_, err := direct{}.Run(ctx, "test", p)
			ended <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		close(hang)
	})
}
