package main

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/pipeline"
)

// draft is a request on its way from flags and files. It remembers where each
// field was said, and what was wrong there.
type draft struct {
	request kvsio.Request
	where   map[string]string // API name of a field: where it was said
	typed   map[string]string // API name of a field: the text that was typed
	clock   clock             // of times
	depends map[string]bool   // fields whose instant depends on the clock's now
	name    func(field) string
	others  names              // of what is no field
	missing func(field) string // where a field would be said that nobody said
	at      string             // the place in a file; empty: flags
	faults  []error
	faulty  map[string]bool // fields that have a fault already
}

// newDraft starts a request as flags say it, of a command with these names, its times read by a
// clock.
func newDraft(others names, clock clock) *draft {
	return &draft{
		request: kvsio.Request{ImageSelectorType: kvsio.ProducerTimestamp, Format: frame.JPEG},
		clock:   clock,
		where:   map[string]string{},
		typed:   map[string]string{},
		depends: map[string]bool{},
		faulty:  map[string]bool{},
		name:    field.flag,
		others:  others,
		missing: field.flag,
	}
}

// stream returns the same request of a stream.
func (d *draft) stream(f field, stream string) *draft {
	s := d.clone()
	s.set(f, f.flag(), stream)
	return s
}

// entry starts a request of a file, with d for defaults.
func (d *draft) entry(at string) *draft {
	e := d.clone()
	e.faults = nil // d's own are reported once
	e.name = func(f field) string { return f.key }
	e.missing = func(f field) string { return at + ": " + f.key }
	e.at = at
	return e
}

func (d *draft) clone() *draft {
	c := *d
	c.where, c.typed = maps.Clone(d.where), maps.Clone(d.typed)
	c.faulty, c.depends = maps.Clone(d.faulty), maps.Clone(d.depends)
	return &c
}

func (d *draft) set(f field, where, text string) {
	d.where[f.api], d.typed[f.api] = where, text
	d.faulty[f.api] = false
	var err error
	if t := f.instant(&d.request); t != nil {
		*t, d.depends[f.api], err = d.clock.read(text)
	} else {
		err = f.set(&d.request, text)
	}
	if err != nil {
		d.fail(f, fmt.Errorf("%s is %s: %w", where, quoted(text), err))
	}
}

func (d *draft) fail(f field, err error) {
	d.faulty[f.api] = true
	d.faults = append(d.faults, err)
}

// relative says which instants of the request depend on the clock's now.
func (d *draft) relative() pipeline.Relative {
	return pipeline.Relative{Start: d.depends["StartTimestamp"], End: d.depends["EndTimestamp"]}
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
	for _, wrong := range wrong.Faults {
		if d.faulty[wrong.Field] {
			continue
		}
		errs = append(errs, errors.New(d.place(wrong.Field)+fault.In(d.asTyped(wrong).Rest(), d.of)))
	}
	return errs
}

// What the text of a time and of an interval may be, as their parsers say.
const (
	timeForms   = "RFC 3339 (2026-01-31T10:00:00Z), epoch seconds (1769853600.5) or a date (2026-01-31)"
	timeInForms = "RFC 3339 (2026-01-31T10:00:00Z), epoch seconds (1769853600.5), a date (2026-01-31), now, today, " +
		"yesterday, or a time before now (-24h, -2d, -1h30m)"
	intervalForms = "a duration such as 3s, 500ms or 1m30s, or a whole number of milliseconds such as 3000"
)

// asTyped returns a fault with the text that was typed in place of the value that was made of
// it, and, where none was typed, with the forms that the text may have.
func (d *draft) asTyped(wrong *kvsio.Fault) *kvsio.Fault {
	_, plain := wrong.Value.(string) // else it is a sentence about two fields
	typed, isTyped := d.typed[wrong.Field]
	switch {
	case plain && isTyped:
		return fault.New(wrong.Field, quoted(typed), wrong.Allowed)
	case wrong.Value != "not set":
		return wrong
	}
	switch wrong.Field {
	case "StartTimestamp", "EndTimestamp":
		return fault.New(wrong.Field, wrong.Value, d.clock.forms())
	case "SamplingInterval":
		return fault.New(wrong.Field, wrong.Value, intervalForms)
	}
	return wrong
}

// of returns what the user calls a field that something is said of beside another one.
func (d *draft) of(name string) string {
	if f, ok := findField(name); ok {
		return d.name(f)
	}
	return d.others.of(name)
}

func (d *draft) place(api string) string {
	if where, ok := d.where[api]; ok {
		return where
	}
	if f, ok := findField(api); ok {
		return d.missing(f)
	}
	return d.others.of(api)
}
