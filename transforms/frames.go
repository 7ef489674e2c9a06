package transforms

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame"
)

func init() {
	beam.RegisterDoFn(&framesFn{})
	register.Function4x1((&framesFn{}).ProcessElement)
	register.Emitter1[frame.Frame]()
	register.Emitter1[frame.Gap]()
}

// Frames puts a PCollection<frame.Frame> through steps, one after the other, as
// [Shards] does. It returns the frames, and as gaps those that cannot be
// decoded, both with the event times of the frames they were.
//
// A [DedupeParams] is refused: frames of a PCollection come in no order.
func Frames(s beam.Scope, frames beam.PCollection, steps ...Step) (out, gaps beam.PCollection) {
	s = s.Scope("transforms.Frames")
	if err := Validate(steps...); err != nil {
		panic(fmt.Errorf("transforms.Frames: %w", err))
	}
	for _, step := range steps {
		if k, _ := find(step.String()); k.inOrder {
			panic(fmt.Errorf("transforms.Frames: %q needs frames in order: use transforms.Shards", step))
		}
	}
	return beam.ParDo2(s, &framesFn{Steps: Describe(steps...)}, frames)
}

// Decode decodes a PCollection<frame.Frame> to pixels: frames of format
// [frame.RGB]. It panics if p is not valid, as all of these do.
func Decode(s beam.Scope, p DecodeParams, frames beam.PCollection) (out, gaps beam.PCollection) {
	return Frames(s.Scope("transforms.Decode"), frames, p)
}

// Resize resizes the pictures of a PCollection<frame.Frame>.
func Resize(s beam.Scope, p ResizeParams, frames beam.PCollection) (out, gaps beam.PCollection) {
	return Frames(s.Scope("transforms.Resize"), frames, p)
}

// Tensor makes .npy files of the pictures of a PCollection<frame.Frame>: frames of
// format [frame.NPY], or with a Tensor beside the picture.
func Tensor(s beam.Scope, p TensorParams, frames beam.PCollection) (out, gaps beam.PCollection) {
	return Frames(s.Scope("transforms.Tensor"), frames, p)
}

// Map puts a PCollection<frame.Frame> through a function of your own.
func Map(s beam.Scope, fn MapFunc, frames beam.PCollection) beam.PCollection {
	out, _ := Frames(s.Scope("transforms.Map"), frames, MapParams{Fn: fn})
	return out
}

// Filter keeps of a PCollection<frame.Frame> what a function of your own says is
// to be kept.
func Filter(s beam.Scope, fn FilterFunc, frames beam.PCollection) beam.PCollection {
	out, _ := Frames(s.Scope("transforms.Filter"), frames, FilterParams{Fn: fn})
	return out
}

type framesFn struct {
	Steps []string // descriptions

	chain chain
}

func (fn *framesFn) Setup() (err error) {
	fn.chain, err = newChain(fn.Steps)
	return err
}

func (fn *framesFn) ProcessElement(ctx context.Context, f frame.Frame, emit func(frame.Frame),
	gaps func(frame.Gap),
) error {
	return fn.chain.run(ctx, []frame.Frame{f}, func(s *sample) {
		switch {
		case s.corrupt != nil:
			gaps(s.gap())
		case s.drop == "":
			emit(s.frame)
		}
	})
}
