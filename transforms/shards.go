package transforms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame"
)

func init() {
	beam.RegisterDoFn(&shardsFn{})
	register.Function3x1((&shardsFn{}).ProcessElement)
	register.Emitter1[frame.Shard]()
}

// Shards puts the frames of a PCollection<frame.Shard> through steps, one after
// the other, and returns the shards that come of it, with the same event times. It
// is one DoFn, which runners fuse with the source: no frame crosses from one
// stage to another.
//
// Each sample of a shard stays one: a frame that cannot be decoded becomes a gap
// CORRUPT with the cause, one that is left out a drop with its reason. The frames
// that were given are not changed. Frames of a shard are worked on at the
// same time, on as many cores as there are, and decided on in their order. Pixels
// are large: a shard of 100 decoded pictures of 1080p is 622 MB, so resize first,
// or sample less in a shard.
//
// Shards panics if steps are not valid, or end in pixels, which cannot be written: check
// [Validate] and [EndInPixels] where they come from elsewhere. A DoFn of your own that
// takes pixels follows [ShardsOfPixels].
func Shards(s beam.Scope, shards beam.PCollection, steps ...Step) beam.PCollection {
	if Validate(steps...) == nil && EndInPixels(steps...) {
		panic(errors.New("transforms.Shards: the steps end in pixels, which a dataset does not hold: leave DecodeParams out" +
			" (MapParams.Pixels gives a function pixels), let TensorParams follow, or use ShardsOfPixels"))
	}
	return parDoShards(s, "transforms.Shards", shards, steps)
}

// ShardsOfPixels is [Shards] for steps that may end in pixels: what follows is a DoFn of
// your own, and not a dataset.
func ShardsOfPixels(s beam.Scope, shards beam.PCollection, steps ...Step) beam.PCollection {
	return parDoShards(s, "transforms.ShardsOfPixels", shards, steps)
}

func parDoShards(s beam.Scope, name string, shards beam.PCollection, steps []Step) beam.PCollection {
	if err := Validate(steps...); err != nil {
		panic(fmt.Errorf("%s: %w", name, err))
	}
	return beam.ParDo(s.Scope(name), &shardsFn{Steps: Describe(steps...)}, shards)
}

type shardsFn struct {
	Steps []string // descriptions

	chain chain
}

func (fn *shardsFn) Setup() (err error) {
	fn.chain, err = newChain(fn.Steps)
	return err
}

func (fn *shardsFn) ProcessElement(ctx context.Context, shard frame.Shard, emit func(frame.Shard)) error {
	out := frame.Shard{
		Span: shard.Span, Frames: make([]frame.Frame, 0, len(shard.Frames)),
		Gaps: slices.Clone(shard.Gaps), Drops: slices.Clone(shard.Drops),
		Transforms: slices.Concat(shard.Transforms, fn.Steps), New: shard.New, Again: shard.Again,
	}
	err := fn.chain.run(ctx, shard.Frames, func(s *sample) {
		switch f := s.frame; {
		case s.corrupt != nil:
			out.Gaps = append(out.Gaps, s.gap())
		case s.drop != "":
			out.Drops = append(out.Drops, frame.Drop{SampleMs: f.SampleMs, Reason: s.drop})
		default:
			out.Frames = append(out.Frames, f)
		}
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(out.Gaps, func(a, b frame.Gap) int { return cmp.Compare(a.SampleMs, b.SampleMs) })
	slices.SortStableFunc(out.Drops, func(a, b frame.Drop) int { return cmp.Compare(a.SampleMs, b.SampleMs) })
	emit(out)
	return nil
}
