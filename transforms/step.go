package transforms

import (
	"context"
	"errors"
	"fmt"
)

// Step is one thing that is done to frames: [DecodeParams], [ResizeParams],
// [TensorParams], [DedupeParams], [MapParams] or [FilterParams].
type Step interface {
	// Validate returns an error that names each field that is wrong.
	Validate() error

	// String describes the step in one line, with all that its result depends on:
	// two steps of one description do the same to a frame. It is what a dataset's
	// description keeps.
	String() string

	// prepare does what can be done to a frame by itself. It is called from many
	// goroutines, for a frame each.
	prepare(w *work) error
}

// decider is a step's part that sees the frames of a shard in order, in the
// goroutine that Beam called.
type decider func(ctx context.Context, w *work) error

// decides is a step that decides. Its decider is of one shard.
type decides interface{ decider() decider }

// Validate returns an error that names each field of each step that is wrong, and
// steps that cannot follow each other.
func Validate(steps ...Step) error {
	if len(steps) == 0 {
		return errors.New("there is no step: give at least one")
	}
	var errs []error
	tensor := ""
	for i, step := range steps {
		if err := step.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("step %d: %w", i+1, err))
		}
		switch step.(type) {
		case MapParams, FilterParams:
		default:
			if tensor != "" {
				errs = append(errs, fmt.Errorf("step %d: %q cannot follow %q: only functions of your own take tensors, so make them last", i+1, step, tensor))
			}
		}
		if _, ok := step.(TensorParams); ok {
			tensor = step.String()
		}
	}
	return errors.Join(errs...)
}

// Describe returns the descriptions of steps, as a dataset's description keeps
// them.
func Describe(steps ...Step) []string {
	descriptions := make([]string, len(steps))
	for i, step := range steps {
		descriptions[i] = step.String()
	}
	return descriptions
}

// stored is a step as it travels to workers: one of its fields.
type stored struct {
	Decode *DecodeParams `json:",omitempty"`
	Resize *ResizeParams `json:",omitempty"`
	Tensor *TensorParams `json:",omitempty"`
	Dedupe *DedupeParams `json:",omitempty"`
	Map    string        `json:",omitempty"` // name of the function
	Filter string        `json:",omitempty"` // name of the function
}

func store(steps []Step) []stored {
	out := make([]stored, len(steps))
	for i, step := range steps {
		switch step := step.(type) {
		case DecodeParams:
			out[i].Decode = &step
		case ResizeParams:
			out[i].Resize = &step
		case TensorParams:
			out[i].Tensor = &step
		case DedupeParams:
			out[i].Dedupe = &step
		case MapParams:
			out[i].Map = funcName(step.Fn)
		case FilterParams:
			out[i].Filter = funcName(step.Fn)
		}
	}
	return out
}

func (s stored) step() (step Step, k kind, err error) {
	switch {
	case s.Decode != nil:
		return *s.Decode, decoding, nil
	case s.Resize != nil:
		return *s.Resize, resizing, nil
	case s.Tensor != nil:
		return *s.Tensor, tensors, nil
	case s.Dedupe != nil:
		return *s.Dedupe, deduping, nil
	case s.Map != "":
		fn, err := findFunc[MapFunc](s.Map)
		return MapParams{fn}, mapping, err
	}
	fn, err := findFunc[FilterFunc](s.Filter)
	return FilterParams{fn}, filtering, err
}
