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
// others are drops.
type FilterParams struct {
	Fn FilterFunc // required, and registered: register.Function2x2(fn)
}

// Validate returns an error that names each field that is wrong.
func (p FilterParams) Validate() error { return checkFunc("FilterParams.Fn", p.Fn) }

// String describes the step in one line, by the function's name.
func (p FilterParams) String() string { return "filter " + funcName(p.Fn) }

var filtering = kind{meter: newMeter("filter"), function: true, parse: func(name string) (Step, error) {
	fn, err := findFunc[FilterFunc](name)
	return FilterParams{fn}, err
}}

func (FilterParams) after(f form) (form, error) { return f, nil }

func (FilterParams) prepare(s *sample) error { return s.settle() }

func (p FilterParams) decider() decider {
	return func(ctx context.Context, s *sample) error {
		began := time.Now()
		keep, err := p.Fn(ctx, s.frame)
		s.spend(filtering.meter, 0, time.Since(began))
		if !keep {
			s.drop = Filtered
		}
		return err
	}
}
