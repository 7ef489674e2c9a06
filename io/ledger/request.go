package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// Request records what is asked for, one file a span. It is called before a
// job begins, so that whatever becomes of the job, what is missing can be told.
// A span asked for twice is one file; spans that overlap are as many files.
func (l *Ledger) Request(spans ...framepb.Span) error {
	for _, span := range spans {
		if err := checkSpan(span); err != nil {
			return fmt.Errorf("recording the request for %v: %w", span, err)
		}
		request := &framepb.Request{Series: span.Series.Stored(), First: span.First, Samples: span.Samples}
		err := l.write(span, requestPath(span), request)
		if err == nil {
			err = l.clear(span)
		}
		if err != nil {
			return fmt.Errorf("recording the request for %v: %w", span, err)
		}
	}
	return nil
}

// Requests returns everything that was ever asked for, by series ID, then first
// sample, then samples; spans may overlap. Damaged files are left out of it and
// are the error, a *DamagedError each, joined: what can be read is returned
// with them.
func (l *Ledger) Requests() ([]framepb.Span, error) {
	ids, err := l.list("requests")
	if err != nil {
		return nil, fmt.Errorf("listing the requests: %w", err)
	}
	var spans []framepb.Span
	var damaged []error
	for _, id := range ids {
		names, err := l.list("requests", id)
		if err != nil {
			continue // a stray file
		}
		first := len(spans)
		for _, name := range names {
			if _, _, failed, ok := splitName(name); !ok || failed {
				continue
			}
			span, err := l.readRequest(id, name)
			if err != nil {
				damaged = append(damaged, err)
				continue
			}
			spans = append(spans, span)
		}
		slices.SortFunc(spans[first:], compareSpans)
	}
	return spans, errors.Join(damaged...)
}

func (l *Ledger) readRequest(id, name string) (framepb.Span, error) {
	request := new(framepb.Request)
	var span framepb.Span
	err := l.read(filepath.Join("requests", id, name), request, func() error {
		span = request.Span()
		if err := checkSpan(span); err != nil {
			return err
		}
		if span.Series.ID() != id || span.Name()+".json" != name {
			return fmt.Errorf("it is the request for %s in %s", span.Name(), span.Series.ID())
		}
		return nil
	})
	return span, err
}
