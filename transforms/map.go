package transforms

import (
	"context"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
)

// MapFunc makes another frame of one: another picture, labels, or both. It does
// not write to the Data or Labels of the frame that it gets. An error fails the
// bundle, and so in the end the job.
type MapFunc = func(context.Context, frame.Frame) (frame.Frame, error)

// MapParams are, as a [Step], to put frames through a function of your own. It is
// called for one frame after another in their order, in the goroutine that Beam
// called, so it may use Beam's metrics and log.
//
// A frame must be made of the frame alone: where footage comes later, a backfill calls the
// function for the frames that are new.
//
// What it is given is as the steps before it left it: encoded, unless a decode or
// a tensor step is among them, or Pixels is set. What it returns is a frame of the
// same sample: Stream, StreamARN, Tag and the times are put back. Its Format, Width and
// Height must be those of its Data, by the header of a JPEG or a PNG and by the length
// of RGB; an NPY's Data, and Tensor, must be whole .npy files. Anything else is an error
// that names the step, the stream and the time, and fails the bundle.
type MapParams struct {
	// Fn is the function. It is required, and must be registered, as functions
	// that are given to beam.ParDo must be: register.Function2x2(fn). It travels
	// by its name, so it cannot be a closure.
	Fn MapFunc

	// Pixels gives the function the picture decoded, in a frame of [frame.RGB], and
	// leaves the picture of the frame that goes on as it is without the function: of
	// what the function returns only Labels and Tensor are kept. It is for
	// classifiers. A picture that cannot be decoded becomes a gap. The function must
	// not keep Data: its memory is used again when the function has returned.
	Pixels bool
}

// Validate returns an error that names each field that is wrong.
func (p MapParams) Validate() error { return checkFunc("MapParams.Fn", p.Fn) }

// String describes the step in one line, by the function's name, with ":pixels"
// behind it for Pixels: two functions of one name are taken for the same.
func (p MapParams) String() string { return describeFunc("map", p.Fn, p.Pixels) }

var mapping = kind{meter: newMeter("map"), function: true, parse: func(spec string) (Step, error) {
	fn, asPixels, err := parseFunc[MapFunc](spec)
	return MapParams{fn, asPixels}, err
}}

func (p MapParams) after(f form) (form, error) { return f, f.function(p, p.Pixels) }

func (p MapParams) prepare(s *sample) error { return s.show(p.Pixels) }

func (p MapParams) decider() decider {
	return func(ctx context.Context, s *sample) error {
		began := time.Now()
		out, err := p.Fn(ctx, s.given(p.Pixels))
		s.spend(mapping.meter, 0, time.Since(began))
		if err != nil {
			return err
		}
		if p.Pixels {
			err = checkTensor(out.Tensor, s.frame.Tensor)
			s.frame.Labels, s.frame.Tensor = out.Labels, out.Tensor
			return err
		}
		if err := checkReturned(out, s.frame); err != nil {
			return err
		}
		if !isSame(out.Data, s.frame.Data) || out.Format != s.frame.Format {
			s.pixels.Release()
			s.shown.Release()
		}
		out.Stream, out.StreamARN = s.frame.Stream, s.frame.StreamARN
		out.SampleMs, out.ImageMs, out.Tag = s.frame.SampleMs, s.frame.ImageMs, s.frame.Tag
		s.frame = out
		return nil
	}
}
