// Package fault makes errors whose names can be said in other words. A library names a field as
// Go does, AWS.Region; whoever knows it by another name, as a command does by a flag, has [In]
// say the error in that name. What users typed is never taken for a name.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Name is the name of a field (AWS.Region), an argument (folder) or a function (dataset.Repair)
// as an operand of [Errorf].
type Name string

// Fault is the error of a field that holds what it may not.
type Fault struct {
	Field   string // its name in Go, such as Out or AWS.Region
	Value   any    // what it holds, as it reads: a text, or an error of Errorf
	Allowed any    // what it may hold, likewise

	// Problem, where set, follows the field's name in place of " is VALUE: it must be ALLOWED".
	Problem error
}

// New returns a Fault that reads "FIELD is VALUE: it must be ALLOWED".
func New(field string, value, allowed any) *Fault {
	return &Fault{Field: field, Value: value, Allowed: allowed}
}

// Of returns a Fault of another form: the format of [Errorf] follows the field's name at once.
func Of(field, format string, operands ...any) *Fault {
	return &Fault{Field: field, Problem: Errorf(format, operands...)}
}

// Rest returns what follows the field's name.
func (f *Fault) Rest() error {
	if f.Problem != nil {
		return f.Problem
	}
	return Errorf(" is %v: it must be %v", f.Value, f.Allowed)
}

func (f *Fault) Error() string { return f.Field + f.Rest().Error() }

// Unwrap returns f.Problem.
func (f *Fault) Unwrap() error { return f.Problem }

// Errorf is [fmt.Errorf], but keeps the operands that are a [Name], and the errors with such
// operands, apart from the words around them.
func Errorf(format string, operands ...any) error {
	return &text{fmt.Errorf(format, operands...), format, operands}
}

type text struct {
	error
	format   string
	operands []any
}

func (t *text) Unwrap() error { return t.error }

func (t *text) in(names func(string) string) string {
	operands := slices.Clone(t.operands)
	for i, operand := range operands {
		switch operand := operand.(type) {
		case Name:
			operands[i] = names(string(operand))
		case error:
			operands[i] = errors.New(In(operand, names))
		}
	}
	return fmt.Errorf(t.format, operands...).Error()
}

// In returns the text of an error with names(NAME) in place of the Field of each [Fault] and of
// each [Name]. It finds them in what [errors.Join] joined, and at the end of the text of whatever
// unwraps to them, as that of fmt.Errorf("…: %w", err) does.
func In(err error, names func(name string) string) string {
	switch err := err.(type) {
	case *Fault:
		return names(err.Field) + In(err.Rest(), names)
	case *text:
		return err.in(names)
	}
	if parts := joined(err); parts != nil {
		lines := make([]string, len(parts))
		for i, part := range parts {
			lines[i] = In(part, names)
		}
		return strings.Join(lines, "\n")
	}
	if cause := errors.Unwrap(err); cause != nil {
		if before, ok := strings.CutSuffix(err.Error(), cause.Error()); ok {
			return before + In(cause, names)
		}
	}
	return err.Error()
}

// Split takes apart what [errors.Join] joined: it returns err alone where that is nothing so,
// and nothing for nil.
func Split(err error) []error {
	if err == nil {
		return nil
	}
	parts := joined(err)
	if parts == nil {
		return []error{err}
	}
	var all []error
	for _, part := range parts {
		all = append(all, Split(part)...)
	}
	return all
}

// joined returns the parts of what errors.Join joined, and nil for a sentence with errors in it.
func joined(err error) []error {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	parts := several.Unwrap()
	if all := errors.Join(parts...); all == nil || err.Error() != all.Error() {
		return nil
	}
	return parts
}

// List returns names as a text lists what is allowed: "a, b, c".
func List[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}
