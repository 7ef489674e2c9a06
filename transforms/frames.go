package transforms

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/framepb"
)

func init() {
	register.DoFn4x1[context.Context, framepb.Frame, func(framepb.Frame), func(framepb.Gap), error](&framesFn{})
	register.Emitter1[framepb.Frame]()
	register.Emitter1[framepb.Gap]()
}

// Frames puts a PCollection<framepb.Frame> through steps, one after the other, as
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
		if _, ok := step.(DedupeParams); ok {
			panic(fmt.Errorf("transforms.Frames: %q needs frames in order: use transforms.Shards", step))
		}
	}
	return beam.ParDo2(s, &framesFn{Steps: store(steps)}, frames)
}

// Decode decodes a PCollection<framepb.Frame> to pixels: frames of format
// [framepb.RGB]. It panics if p is not valid, as all of these do.
func Decode(s beam.Scope, p DecodeParams, frames beam.PCollection) (out, gaps beam.PCollection) {
	return Frames(s.Scope("transforms.Decode"), frames, p)
}

// Resize resizes the pictures of a PCollection<framepb.Frame>.
func Resize(s beam.Scope, p ResizeParams, frames beam.PCollection) (out, gaps beam.PCollection) {
	return Frames(s.Scope("transforms.Resize"), frames, p)
}

// Tensor makes .npy files of the pictures of a PCollection<framepb.Frame>: frames of
// format [framepb.NPY], or with a Tensor beside the picture.
func Tensor(s beam.Scope, p TensorParams, frames beam.PCollection) (out, gaps beam.PCollection) {
	return Frames(s.Scope("transforms.Tensor"), frames, p)
}

// Map puts a PCollection<framepb.Frame> through a function of your own.
func Map(s beam.Scope, fn MapFunc, frames beam.PCollection) beam.PCollection {
	out, _ := Frames(s.Scope("transforms.Map"), frames, MapParams{Fn: fn})
	return out
}

// Filter keeps of a PCollection<framepb.Frame> what a function of your own says is
// to be kept.
func Filter(s beam.Scope, fn FilterFunc, frames beam.PCollection) beam.PCollection {
	out, _ := Frames(s.Scope("transforms.Filter"), frames, FilterParams{Fn: fn})
	return out
}

type framesFn struct {
	Steps []stored

	line line
}

func (fn *framesFn) Setup() (err error) {
	fn.line, err = newLine(fn.Steps)
	return err
}

func (fn *framesFn) ProcessElement(ctx context.Context, frame framepb.Frame, emit func(framepb.Frame), gaps func(framepb.Gap)) error {
	return fn.line.run(ctx, []framepb.Frame{frame}, func(w *work) {
		switch {
		case w.corrupt != nil:
			gaps(w.gap())
		case w.drop == "":
			emit(w.frame)
		}
	})
}
