package transforms

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Step is one thing that is done to frames: [DecodeParams], [ResizeParams],
// [TensorParams], [DedupeParams], [MapParams] or [FilterParams].
type Step interface {
	// Validate returns an error that names each field that is wrong.
	Validate() error

	// String describes the step in one line, with all that its result depends on:
	// two steps of one description do the same to a frame. It is what a dataset's
	// description keeps, and what travels to workers.
	String() string

	// after returns the form of frames behind the step, and an error if the step
	// cannot take frames of the form f.
	after(f form) (form, error)

	// prepare does what can be done to a frame by itself. It is called from many
	// goroutines, for a frame each.
	prepare(s *sample) error
}

// decider is a step's part that sees the frames of a shard in order, in the
// goroutine that Beam called.
type decider func(ctx context.Context, s *sample) error

// decides is a step that decides. Its decider is of one shard.
type decides interface{ decider() decider }

// kind is what the steps of one type have in common.
type kind struct {
	*meter                                   // its name begins their descriptions
	parse    func(spec string) (Step, error) // reads what String wrote behind the name
	function bool                            // they call a function of the user's
	inOrder  bool                            // they need the frames of a shard in order
}

// kinds are all kinds of steps. Each has a file of its own.
var kinds = []*kind{&decoding, &resizing, &tensors, &deduping, &mapping, &filtering}

// find returns the kind of a step by its description, nil if there is none, and
// what stands behind the name.
func find(description string) (k *kind, spec string) {
	end := strings.IndexAny(description+" ", " :")
	name, spec := description[:end], strings.TrimPrefix(description[end:], " ")
	for _, k := range kinds {
		if k.name == name {
			return k, spec
		}
	}
	return nil, ""
}

// form is what is known of the frames between two steps.
type form struct {
	tensor Step // the tensor step that is behind them, or nil
	pixels bool // a decode step is behind them, and they are not encoded
}

// picture returns an error if frames of the form f are not for step, which takes
// pictures.
func (f form) picture(step Step) error {
	if f.tensor == nil {
		return nil
	}
	return fmt.Errorf("%q cannot follow %q: only functions of your own take tensors, so make them last", step, f.tensor)
}

// function returns an error if frames of the form f have no picture for the function of
// step, which takes pixels or whatever there is.
func (f form) function(step Step, asPixels bool) error {
	if t, ok := f.tensor.(TensorParams); ok && asPixels && !t.Beside {
		return fmt.Errorf("%q cannot follow %q, which leaves no picture: put it ahead of the tensor, or set "+
			"TensorParams.Beside", step, f.tensor)
	}
	return nil
}

// Validate returns an error that names each field of each step that is wrong, and
// steps that cannot follow each other.
func Validate(steps ...Step) error {
	if len(steps) == 0 {
		return errors.New("there is no step: give at least one")
	}
	var errs []error
	var f form
	for i, step := range steps {
		if step == nil {
			return fmt.Errorf("step %d is nil: it must be one of the Params of this package", i+1)
		}
		next, err := step.after(f)
		for _, err := range []error{step.Validate(), err} {
			if err != nil {
				errs = append(errs, fmt.Errorf("step %d: %w", i+1, err))
			}
		}
		f = next
	}
	return errors.Join(errs...)
}

// EndInPixels reports whether steps leave frames as pixels, of [frame.RGB], which no
// dataset holds: whether a decode step is among them, and no tensor step that takes the
// picture's place. Functions of your own are not expected to encode pixels again. The steps
// must be ones that [Validate] accepts.
func EndInPixels(steps ...Step) bool {
	var f form
	for _, step := range steps {
		f, _ = step.after(f)
	}
	return f.pixels
}

// Describe returns the descriptions of steps, as a dataset's description keeps
// them. The steps must be ones that [Validate] accepts.
func Describe(steps ...Step) []string {
	descriptions := make([]string, len(steps))
	for i, step := range steps {
		descriptions[i] = step.String()
	}
	return descriptions
}

// Parse reads what String of a [DecodeParams], a [ResizeParams], a [TensorParams] or a
// [DedupeParams] wrote, as a dataset's description keeps it. It does not find functions
// of your own by their names.
func Parse(description string) (Step, error) {
	if k, spec := find(description); k != nil && !k.function {
		return k.parse(spec)
	}
	return nil, fmt.Errorf("the transform %q is one that only the program that began the dataset has", description)
}
