package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/pipeline/internal/beamrun"
)

// UsageError is what is found to be wrong before anything is fetched: by
// options, by the dataset, or by the preflight.
type UsageError struct {
	Faults []error

	// Begun, where it is not empty, names the place that was begun when a store failed: its
	// description and what is asked for may be on record there. Otherwise nothing was done.
	Begun string
}

// usage returns a *UsageError of the errors that are not nil, or nil. One alone that is
// one already stays as it is.
func usage(errs ...error) error {
	if len(errs) == 1 {
		if known := (*UsageError)(nil); errors.As(errs[0], &known) {
			return known
		}
	}
	faults := fault.Split(errors.Join(errs...))
	if len(faults) == 0 {
		return nil
	}
	return &UsageError{Faults: faults}
}

// begun returns a *UsageError of an error that came while a place was being written
// into, or after it. open opens what is at the place; its error satisfies none where nothing is there.
func begun(ctx context.Context, place string, err error, open func(context.Context, string) error, none error) error {
	ctx, stop := context.WithTimeout(ctx, beamrun.Grace)
	defer stop()
	e := &UsageError{Faults: fault.Split(err), Begun: place}
	if errors.Is(open(ctx, place), none) { // else it is there, or that is not known
		e.Begun = ""
	}
	return e
}

func (e *UsageError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the faults.
func (e *UsageError) Unwrap() []error { return e.Faults }

// JobError is a job that failed. What it wrote stays valid: the same backfill
// goes on from there.
type JobError struct {
	Runner string
	Cause  string // the one line that says why
	Err    error  // what Beam returned
}

func (e *JobError) Error() string {
	return fmt.Sprintf("the job on runner %s failed: %s", e.Runner, e.Cause)
}

// Unwrap returns what Beam returned.
func (e *JobError) Unwrap() error { return e.Err }

// IncompleteError is a job that came to its end without a dataset that is
// complete.
type IncompleteError struct {
	Dir             string
	Missing, Failed int64 // samples
	Duplicates      int64 // samples that are recorded more than once

	// Damaged are files of sealed receipts of the dataset that cannot be read, whether or not what
	// they tell was asked for. Samples of theirs are Missing.
	Damaged []string

	// The names of streams of which more than MaxGapRatio of the samples are gaps or missing.
	Gappy       []string
	MaxGapRatio float64

	Unread []error // why streams could not be read, of which something is missing
}

func (e *IncompleteError) Error() string { return e.Unwrap().Error() }

// Unwrap returns an error that names what to call.
func (e *IncompleteError) Unwrap() error {
	const most = 10 // streams that are named
	var parts []string
	if e.Missing > 0 {
		parts = append(parts, fmt.Sprintf("%d samples are missing", e.Missing))
	}
	if e.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d samples are FAILED gaps", e.Failed))
	}
	clauses := []any{e.Dir}
	if n := len(e.Damaged); n > 0 {
		clauses = append(clauses, fault.Errorf("%d of its files of sealed receipts cannot be read, as %s: %s makes them again, "+
			"at no cost, of what lies in shards", n, e.Damaged[0], fault.Name("dataset.Repair")))
	}
	if len(parts) > 0 && len(e.Damaged) > 0 {
		clauses = append(clauses, strings.Join(parts, " and ")+" until then")
	} else if len(parts) > 0 {
		clauses = append(clauses, strings.Join(parts, " and ")+"; the same backfill fetches them again")
	}
	if e.Duplicates > 0 {
		clauses = append(clauses, fault.Errorf("%d samples are recorded more than once: %s leaves each of them once",
			e.Duplicates, fault.Name("dataset.Repair")))
	}
	if n := len(e.Gappy); n > 0 {
		names := strings.Join(e.Gappy[:min(n, most)], ", ")
		if n > most {
			names += fmt.Sprintf(" and %d more", n-most)
		}
		clauses = append(clauses, fault.Errorf("more than %v (%s) of the samples are gaps or missing of %s",
			e.MaxGapRatio, fault.Name("MaxGapRatio"), names))
	}
	for _, problem := range e.Unread[:min(len(e.Unread), most)] {
		clauses = append(clauses, problem)
	}
	if n := len(e.Unread); n > most {
		clauses = append(clauses, fmt.Sprintf("and %d more streams cannot be read", n-most))
	}
	return fault.Errorf("%s is not complete: %v"+strings.Repeat("; %v", max(len(clauses)-2, 0)), clauses...)
}

// ErrInterrupted says that the context of a backfill or a pack ended before it did. What
// it wrote stays valid.
var ErrInterrupted = errors.New("interrupted: what is written stays, and the same command goes on from there")
