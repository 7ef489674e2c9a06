package pipeline

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/framepb"
)

func init() {
	register.Function1x1(framesOf)
	register.Function1x0(forget)
}

// calmPrism gives the stage that reads and writes an output that leaves it: a
// number a shard. Prism (2.77) waits for the end of a bundle and of its outputs
// in one loop; a stage without outputs makes that loop spin, a core for every
// bundle under way, from the first second to the last.
func calmPrism(s beam.Scope, receipts beam.PCollection) {
	s = s.Scope("pipeline.calmPrism")
	// The Reshuffle parts the stages, and prism drops one that nobody reads.
	beam.ParDo0(s, forget, beam.Reshuffle(s, beam.ParDo(s, framesOf, receipts)))
}

func framesOf(r *framepb.Receipt) int32 { return r.GetFrames() }

func forget(int32) {}
