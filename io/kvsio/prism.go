package kvsio

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame"
)

func init() {
	register.Function1x1(framesOf)
	register.Function2x1(unreadSamples)
	register.Function1x0(forget)
}

// keepOutput gives the stage that makes small numbers, and does with shards or samples
// whatever follows, an output that leaves it. Prism (2.77) waits for the end of
// a bundle and of its outputs in one loop; a stage without outputs, which is
// what a source and a sink fused into one are, makes that loop spin: a core for
// every bundle under way, from the first second to the last.
func keepOutput(s beam.Scope, numbers beam.PCollection) {
	s = s.Scope("keepOutput")
	// The Reshuffle parts the stages, and prism drops one that nobody reads.
	beam.ParDo0(s, forget, beam.Reshuffle(s, numbers))
}

func framesOf(shard frame.Shard) int32 { return int32(len(shard.Frames)) }

func unreadSamples(_ string, u unread) int32 { return int32(u.Span.Samples) }

func forget(int32) {}
