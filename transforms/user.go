package transforms

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"
	"unsafe"

	beamruntime "github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
)

// MapFunc makes another frame of one: another picture, labels, or both. It does
// not write to the Data or Labels of the frame that it gets. An error fails the
// bundle, and so in the end the job.
type MapFunc = func(context.Context, frame.Frame) (frame.Frame, error)

// FilterFunc reports whether a frame is kept.
type FilterFunc = func(context.Context, frame.Frame) (keep bool, err error)

// Filtered is the reason of a frame that a filter step dropped.
const Filtered = "FILTERED"

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

func (MapParams) prepare(w *work) error { return w.settle() }

func (p MapParams) decider() decider {
	return func(ctx context.Context, w *work) error {
		began := time.Now()
		out, err := p.Fn(ctx, w.frame)
		w.spent[mapping].time += time.Since(began)
		if err != nil {
			return err
		}
		if in := w.frame; unsafe.SliceData(out.Data) != unsafe.SliceData(in.Data) || len(out.Data) != len(in.Data) || out.Format != in.Format {
			w.pixels.release()
		}
		out.Stream, out.StreamARN = w.frame.Stream, w.frame.StreamARN
		out.SampleMs, out.ImageMs = w.frame.SampleMs, w.frame.ImageMs
		w.frame = out
		return nil
	}
}

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

func (FilterParams) prepare(w *work) error { return w.settle() }

func (p FilterParams) decider() decider {
	return func(ctx context.Context, w *work) error {
		began := time.Now()
		keep, err := p.Fn(ctx, w.frame)
		w.spent[filtering].time += time.Since(began)
		if !keep {
			w.drop = Filtered
		}
		return err
	}
}

func checkFunc(field string, fn any) error {
	if reflect.ValueOf(fn).IsNil() {
		return fault.New(field, "nil", "a function that is registered with Beam")
	}
	name := funcName(fn)
	base := name[strings.LastIndexByte(name, '/')+1:]
	if strings.Contains(base, ".func") || strings.HasSuffix(base, "-fm") {
		return fault.New(field, name,
			"a function with a name of its own, no closure and no method value, because workers find it by its name")
	}
	return nil
}

func funcName(fn any) string {
	if v := reflect.ValueOf(fn); !v.IsNil() {
		return runtime.FuncForPC(v.Pointer()).Name()
	}
	return "nothing"
}

// findFunc finds a function by its name, as Beam finds those of ParDos.
func findFunc[F any](name string) (fn F, err error) {
	found, err := beamruntime.ResolveFunction(name, reflect.TypeFor[F]())
	if err != nil {
		return fn, fmt.Errorf("finding the function %s: %w", name, err)
	}
	fn, ok := found.(F)
	if !ok {
		return fn, fmt.Errorf("%s is a %T, not a %T", name, found, fn)
	}
	return fn, nil
}
