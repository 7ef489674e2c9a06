package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// fold records spans of a series together with the requests that they touch or overlap.
//
// What many processes fold at once is never lost. A request is only removed by a process
// that wrote or read one that covers it and is larger. So nobody removes the largest.
func (l *Ledger) fold(ctx context.Context, series frame.Series, asked []frame.Span) error {
	have, err := l.touching(ctx, series, asked)
	if err != nil {
		return err
	}
	for _, span := range frame.Union(slices.Concat(asked, have)) {
		if err := l.foldInto(ctx, span, have); err != nil {
			return fmt.Errorf("recording the request for %v: %w", span, err)
		}
	}
	return nil
}

// foldInto leaves one request of those that a span covers.
func (l *Ledger) foldInto(ctx context.Context, span frame.Span, have []frame.Span) error {
	if !slices.Contains(have, span) {
		request := framepb.RequestOf(span)
		if err := l.write(ctx, span, RequestPath(span), request); err != nil {
			return err
		}
	}
	for _, old := range have {
		if old != span && covers(span, old) {
			if err := l.remove(ctx, RequestPath(old)); err != nil {
				return err
			}
		}
	}
	return l.clear(span)
}

// touching returns the requests of a series that touch or overlap the spans, and those that
// touch or overlap these, and so on. Damaged ones are left out.
func (l *Ledger) touching(ctx context.Context, series frame.Series, asked []frame.Span) ([]frame.Span, error) {
	id := series.ID()
	names, _, err := l.store.List(ctx, path.Join("requests", id))
	if err != nil {
		return nil, fmt.Errorf("listing the requests: %w", err)
	}
	var named []frame.Span
	for _, name := range names {
		if entry, ok := parseName(series, name); ok && !entry.Failed {
			named = append(named, entry.Span)
		}
	}
	for _, region := range frame.Union(slices.Concat(asked, named)) {
		if !slices.ContainsFunc(asked, func(span frame.Span) bool { return covers(region, span) }) {
			named = slices.DeleteFunc(named, func(span frame.Span) bool { return covers(region, span) })
		}
	}
	whole := make([]bool, len(named))
	err = each(len(named), func(i int) error {
		_, err := l.readRequest(ctx, id, path.Base(RequestPath(named[i])))
		if whole[i] = err == nil; whole[i] || isDamaged(err) || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("reading the requests: %w", err)
	})
	var have []frame.Span
	for i, span := range named {
		if whole[i] {
			have = append(have, span)
		}
	}
	return have, err
}

// covers reports whether a span has all samples of another one of its series.
func covers(span, other frame.Span) bool {
	return span.First <= other.First && other.End() <= span.End()
}
