package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// Request records what is asked for, one file a span. It is called before a
// job begins, so that what is missing is known whatever becomes of the job.
// A span asked for twice is one file; spans that overlap are as many files.
func (l *Ledger) Request(ctx context.Context, spans ...frame.Span) error {
	return each(len(spans), func(i int) error {
		span := spans[i]
		if err := cmp.Or(checkSpan(span), span.Series.CheckNames()); err != nil {
			return fmt.Errorf("recording the request for %v: %w", span, err)
		}
		request := &framepb.Request{Series: framepb.SeriesOf(span.Series), First: span.First, Samples: span.Samples}
		err := l.write(ctx, span, RequestPath(span), request)
		if err == nil {
			err = l.clear(span)
		}
		if err != nil {
			return fmt.Errorf("recording the request for %v: %w", span, err)
		}
		return nil
	})
}

// RequestPath returns where the request for a span is, relative to the ledger's
// place and with forward slashes.
func RequestPath(span frame.Span) string {
	return path.Join("requests", span.Series.ID(), span.Name()+".json")
}

// Requests returns everything that was ever asked for, by series ID, then first
// sample, then samples; spans may overlap. Damaged files are left out of it and
// are the error, a *DamagedError each, joined: what can be read is returned
// with them.
func (l *Ledger) Requests(ctx context.Context) ([]frame.Span, error) {
	_, ids, err := l.store.List(ctx, "requests")
	if err != nil {
		return nil, fmt.Errorf("listing the requests: %w", err)
	}
	var spans []frame.Span
	var damaged []error
	for _, id := range ids {
		names, _, err := l.store.List(ctx, path.Join("requests", id))
		if err != nil {
			return nil, fmt.Errorf("listing the requests: %w", err)
		}
		names = slices.DeleteFunc(names, func(name string) bool {
			_, _, failed, ok := splitName(name)
			return !ok || failed
		})
		found, errs := make([]frame.Span, len(names)), make([]error, len(names))
		each(len(names), func(i int) error {
			found[i], errs[i] = l.readRequest(ctx, id, names[i])
			return nil
		})
		first := len(spans)
		for i, err := range errs {
			var broken *DamagedError
			switch {
			case err == nil:
				spans = append(spans, found[i])
			case errors.As(err, &broken):
				damaged = append(damaged, err)
			default:
				return nil, fmt.Errorf("reading the requests: %w", err)
			}
		}
		slices.SortFunc(spans[first:], frame.Span.Compare)
	}
	return spans, errors.Join(damaged...)
}

func (l *Ledger) readRequest(ctx context.Context, id, name string) (frame.Span, error) {
	request := new(framepb.Request)
	var span, misplaced frame.Span
	err := l.read(ctx, path.Join("requests", id, name), request, func() error {
		span, misplaced = request.Span(), frame.Span{}
		if err := cmp.Or(checkSpan(span), span.Series.CheckNames()); err != nil {
			return err // before its name becomes part of a path
		}
		if entry, ok := parseName(span.Series, span.Name()+".json"); !ok || entry.Span != span {
			return fmt.Errorf("its first sample is %d, at no time that a name can tell", span.First)
		}
		if RequestPath(span) != path.Join("requests", id, name) {
			misplaced = span
			return fmt.Errorf("it is the request for %s in %s", span.Name(), span.Series.ID())
		}
		return nil
	})
	var damaged *DamagedError
	if !errors.As(err, &damaged) {
		return span, err
	}
	if damaged.Entry.Span = misplaced; misplaced.Samples > 0 {
		return span, err
	}
	// The name says it, too, where another file says which series it is.
	series, ok, problem := l.seriesOf(ctx, id)
	if problem != nil {
		return span, problem
	}
	if ok {
		if entry, ok := parseName(series, name); ok {
			damaged.Entry = entry
		}
	}
	return span, err
}
