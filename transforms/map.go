package transforms

import (
	"context"
	"time"
	"unsafe"

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
// What it is given is as the steps before it left it: encoded, unless a decode or
// a tensor step is among them. What it returns is a frame of the same
// sample: Stream, StreamARN and the times are put back.
type MapParams struct {
	// Fn is the function. It is required, and must be registered, as functions
	// that are given to beam.ParDo must be: register.Function2x2(fn). It travels
	// by its name, so it cannot be a closure.
	Fn MapFunc
}

// Validate returns an error that names each field that is wrong.
func (p MapParams) Validate() error { return checkFunc("MapParams.Fn", p.Fn) }

// String describes the step in one line, by the function's name: two functions of
// one name are taken for the same.
func (p MapParams) String() string { return "map " + funcName(p.Fn) }

var mapping = kind{meter: newMeter("map"), function: true, parse: func(name string) (Step, error) {
	fn, err := findFunc[MapFunc](name)
	return MapParams{fn}, err
}}

func (MapParams) after(f form) (form, error) { return f, nil }

func (MapParams) prepare(s *sample) error { return s.settle() }

func (p MapParams) decider() decider {
	return func(ctx context.Context, s *sample) error {
		began := time.Now()
		out, err := p.Fn(ctx, s.frame)
		s.spend(mapping.meter, 0, time.Since(began))
		if err != nil {
			return err
		}
		if in := s.frame; unsafe.SliceData(out.Data) != unsafe.SliceData(in.Data) || len(out.Data) != len(in.Data) || out.Format != in.Format {
			s.pixels.Release()
		}
		out.Stream, out.StreamARN = s.frame.Stream, s.frame.StreamARN
		out.SampleMs, out.ImageMs = s.frame.SampleMs, s.frame.ImageMs
		s.frame = out
		return nil
	}
}
