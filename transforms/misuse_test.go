package transforms

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/io/frame"
)

// TestNoStep: a nil among the steps is said where the pipeline is made.
func TestNoStep(t *testing.T) {
	defer func() {
		if said := fmt.Sprint(recover()); !strings.Contains(said, "transforms.Shards: step 2 is nil") {
			t.Errorf("it panics with %s", said)
		}
	}()
	_, s := beam.NewPipelineWithRoot()
	Shards(s, beam.Create(s, frame.Shard{}), DedupeParams{}, nil)
}
