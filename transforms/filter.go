package transforms

import (
	"context"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
)

// FilterFunc reports whether a frame is kept.
type FilterFunc = func(context.Context, frame.Frame) (keep bool, err error)

// Filtered is the reason of a frame that a filter step dropped.
const Filtered = "FILTERED"

// FilterParams are, as a [Step], to keep the frames that a function of your own
// says are to be kept. It is called as that of [MapParams] is. On shards the
// others are drops. It must decide on a frame by the frame alone.
type FilterParams struct {
	Fn     FilterFunc // required, and registered: register.Function2x2(fn)
	Pixels bool       // the function is given the picture decoded, as that of MapParams.Pixels is
}

// Validate returns an error that names each field that is wrong.
func (p FilterParams) Validate() error { return checkFunc("FilterParams.Fn", p.Fn) }

// String describes the step in one line, by the function's name, with ":pixels"
// behind it for Pixels.
func (p FilterParams) String() string { return describeFunc("filter", p.Fn, p.Pixels) }

var filtering = kind{meter: newMeter("filter"), function: true, parse: func(spec string) (Step, error) {
	fn, asPixels, err := parseFunc[FilterFunc](spec)
	return FilterParams{fn, asPixels}, err
}}

func (p FilterParams) after(f form) (form, error) { return f, f.function(p, p.Pixels) }

func (p FilterParams) prepare(s *sample) error { return s.show(p.Pixels) }

func (p FilterParams) decider() decider {
	return func(ctx context.Context, s *sample) error {
		began := time.Now()
		keep, err := p.Fn(ctx, s.given(p.Pixels))
		s.spend(filtering.meter, 0, time.Since(began))
		if !keep {
			s.drop = Filtered
		}
		return err
	}
}
