package pipeline

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"go.uber.org/goleak"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms"
)

func init() {
	register.Function2x2(failing)
	register.Function2x2(panicking)
}

func failing(_ context.Context, f frame.Frame) (frame.Frame, error) {
	return f, errors.New("the model is gone")
}

func panicking(context.Context, frame.Frame) (frame.Frame, error) { panic("the model is gone") }

// TestDirectDownstream: what goes wrong behind the source ends the job with its cause,
// and leaves no goroutine of the source behind.
func TestDirectDownstream(t *testing.T) {
	for name, fn := range map[string]transforms.MapFunc{"error": failing, "panic": panicking} {
		t.Run(name, func(t *testing.T) {
			o, server := options(t)
			o.Read.ShardSamples, o.Transforms = 5, []transforms.Step{transforms.MapParams{Fn: fn}}
			ignore := goleak.IgnoreCurrent()
			_, err := Backfill(t.Context(), o)
			var failed *JobError
			if !errors.As(err, &failed) || failed.Runner != "direct" || !strings.Contains(failed.Cause, "the model is gone") ||
				strings.ContainsAny(failed.Cause, "\n") || strings.Contains(failed.Cause, "goroutine ") {
				t.Errorf("%v", err)
			}
			server.Close() // and so the connections that wait to be used again
			goleak.VerifyNone(t, ignore)
		})
	}
}
