package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/pipeline"
)

// draft is a request on its way from flags and files. It remembers where each
// field was said, and what was wrong there.
type draft struct {
	request kvsio.Request
	where   map[string]string // API name of a field: where it was said
	name    func(field) string
	missing func(field) string // where a field would be said that nobody said
	faults  []error
	faulty  map[string]bool // fields that have a fault already
}

// newDraft starts a request as flags say it.
func newDraft() *draft {
	return &draft{
		request: kvsio.Request{ImageSelectorType: kvsio.ProducerTimestamp, Format: frame.JPEG},
		where:   map[string]string{},
		faulty:  map[string]bool{},
		name:    field.flag,
		missing: field.flag,
	}
}

// stream returns the same request of a stream.
func (d *draft) stream(f field, stream string) *draft {
	s := *d
	s.where, s.faulty = maps.Clone(d.where), maps.Clone(d.faulty)
	s.set(f, f.flag(), stream)
	return &s
}

// entry starts a request of a file, with d for defaults.
func (d *draft) entry(at string) *draft {
	e := *d
	e.where, e.faulty = maps.Clone(d.where), maps.Clone(d.faulty)
	e.faults = nil // d's own are told once
	e.name = func(f field) string { return f.key }
	e.missing = func(f field) string { return at + ": " + f.key }
	return &e
}

func (d *draft) set(f field, where, text string) {
	d.where[f.api] = where
	d.faulty[f.api] = false
	if err := f.set(&d.request, text); err != nil {
		d.fail(f, fmt.Errorf("%s is %q: %w", where, text, err))
	}
}

func (d *draft) fail(f field, err error) {
	d.faulty[f.api] = true
	d.faults = append(d.faults, err)
}

// check returns everything that is wrong with the request, in the names that
// the user knows.
func (d *draft) check(floor time.Duration, now time.Time) []error {
	return d.explain(pipeline.CheckRequest(d.request, floor, now))
}

// explain adds what a *kvsio.RequestError says to the faults of the draft.
func (d *draft) explain(err error) []error { return append(d.faults, d.named(err)...) }

// named says in the user's names what a *kvsio.RequestError says, but of fields that
// have a fault already.
func (d *draft) named(err error) (errs []error) {
	var wrong *kvsio.RequestError
	if !errors.As(err, &wrong) {
		return nil
	}
	for _, fault := range wrong.Faults {
		if d.faulty[fault.Field] {
			continue
		}
		errs = append(errs, errors.New(d.place(fault.Field)+" is "+
			translate(fault.Value+": it must be "+allowed(fault), d.name)))
	}
	return errs
}

// allowed adds what only the command knows.
func allowed(fault kvsio.Fault) string {
	if fault.Value == "not set" && (strings.HasSuffix(fault.Field, "Timestamp") || fault.Field == "SamplingInterval") {
		return forms(fault.Field)
	}
	return strings.Replace(fault.Allowed, "where a lower floor is asked for", "with --min-sampling-interval", 1)
}

// forms returns what the text of a field may be, in its parser's words.
func forms(api string) string {
	i := slices.IndexFunc(fields, func(f field) bool { return f.api == api })
	return strings.TrimPrefix(fields[i].set(new(kvsio.Request), "").Error(), "it must be ")
}

func (d *draft) place(api string) string {
	if where, ok := d.where[api]; ok {
		return where
	}
	for _, f := range fields {
		if f.api == api {
			return d.missing(f)
		}
	}
	return api
}
