package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// Request records what is asked for. It is called before a job begins, so that what is
// missing is known whatever becomes of the job. Spans of a series that touch or overlap
// each other, or what was asked for before, become one file. Nothing is written where a
// file covers a span already. A damaged file stays as it is. What processes record at once
// may be left as files that overlap, until a span is recorded that touches them.
//
// It lists the requests of each series once, and reads those that become one.
func (l *Ledger) Request(ctx context.Context, spans ...frame.Span) error {
	asked := make(map[frame.Series][]frame.Span)
	for _, span := range spans {
		if err := cmp.Or(checkSpan(span), span.Series.CheckNames()); err != nil {
			return fmt.Errorf("recording the request for %v: %w", span, err)
		}
		asked[span.Series] = append(asked[span.Series], span)
	}
	series := slices.Collect(maps.Keys(asked))
	return each(len(series), func(i int) error { return l.fold(ctx, series[i], asked[series[i]]) })
}

// MendRequests writes anew what damaged files of [Ledger.Requests] asked for, where they
// tell it, and removes those that are still damaged.
func (l *Ledger) MendRequests(ctx context.Context, files ...*DamagedError) error {
	var spans []frame.Span
	for _, file := range files {
		if file.Entry.Span.Samples > 0 {
			spans = append(spans, file.Entry.Span)
		}
	}
	if err := l.Request(ctx, spans...); err != nil {
		return err
	}
	return each(len(files), func(i int) error {
		folder, name := path.Split(files[i].Path)
		_, err := l.readRequest(ctx, path.Base(folder), name)
		switch {
		case isDamaged(err):
			return l.remove(ctx, files[i].Path)
		case errors.Is(err, fs.ErrNotExist):
			return nil
		}
		return err
	})
}

// RequestPath returns where the request for a span is, relative to the ledger's
// place and with forward slashes.
func RequestPath(span frame.Span) string {
	return path.Join("requests", span.Series.ID(), span.Name()+".json")
}

// Asked returns what was asked of a series, as far as names tell, as [frame.Union] does.
func (l *Ledger) Asked(ctx context.Context, series frame.Series) ([]frame.Span, error) {
	names, _, err := l.store.List(ctx, path.Join("requests", series.ID()))
	if err != nil {
		return nil, fmt.Errorf("listing the requests for %s: %w", series.StreamName, err)
	}
	var spans []frame.Span
	for _, name := range names {
		if entry, ok := parseName(series, name); ok && !entry.Failed {
			spans = append(spans, entry.Span)
		}
	}
	return frame.Union(spans), nil
}

// Requests returns everything that was ever asked for, by series ID, then first
// sample, then samples; spans may touch and overlap. Damaged files are left out of it and
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
		found, errs, err := l.requestsOf(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("reading the requests: %w", err)
		}
		spans, damaged = append(spans, found...), append(damaged, errs...)
	}
	return spans, errors.Join(damaged...)
}

// requestsOf returns the requests of a series, and the errors of those that are damaged.
func (l *Ledger) requestsOf(ctx context.Context, id string) (spans []frame.Span, damaged []error, err error) {
	for range attempts {
		spans, damaged, err = l.listedRequests(ctx, id)
		if !errors.Is(err, fs.ErrNotExist) { // else it became part of a larger one
			break
		}
	}
	slices.SortFunc(spans, frame.Span.Compare)
	return spans, damaged, err
}

func (l *Ledger) listedRequests(ctx context.Context, id string) (spans []frame.Span, damaged []error, err error) {
	names, _, err := l.store.List(ctx, path.Join("requests", id))
	if err != nil {
		return nil, nil, err
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
	for i, err := range errs {
		switch {
		case err == nil:
			spans = append(spans, found[i])
		case isDamaged(err):
			damaged = append(damaged, err)
		default:
			return nil, nil, err
		}
	}
	return spans, damaged, nil
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
