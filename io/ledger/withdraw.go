package ledger

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/disk"
)

// Withdraw takes samples out of what was asked for: it undoes [Ledger.Request] of them. What
// else a file asks for is written before the file goes, so that a kill withdraws nothing but
// those samples; damaged files stay as they are. In a folder, what killed writers of these
// samples have left in tmp goes, too. Do not call it while the same series is asked for.
func (l *Ledger) Withdraw(ctx context.Context, spans ...frame.Span) error {
	gone := frame.BySeries(spans)
	series := slices.Collect(maps.Keys(gone))
	return each(len(series), func(i int) error {
		if err := l.withdraw(ctx, series[i], frame.Union(gone[series[i]])); err != nil {
			return fmt.Errorf("withdrawing requests for %s: %w", series[i].StreamName, err)
		}
		return nil
	})
}

func (l *Ledger) withdraw(ctx context.Context, series frame.Series, gone []frame.Span) error {
	have, err := l.touching(ctx, series, gone)
	if err != nil {
		return err
	}
	left := frame.Minus(frame.Union(have), gone)
	for _, span := range left {
		if err := l.foldInto(ctx, span, have); err != nil {
			return err
		}
	}
	for _, span := range have {
		if slices.Contains(left, span) {
			continue
		}
		if err := l.remove(ctx, RequestPath(span)); err != nil {
			return err
		}
	}
	return l.clearOver(series, gone)
}

// clearOver removes from tmp what is of samples of a region.
func (l *Ledger) clearOver(series frame.Series, region []frame.Span) error {
	if l.dir == "" {
		return nil // in a bucket what is being written is not there yet
	}
	id := tempID(series.ID())
	return disk.Sweep(l.tmp(), func(name string, _ fs.DirEntry) bool {
		of, span, _ := strings.Cut(name, ".")
		entry, ok := parseName(series, span+looseSuffix)
		return ok && of == id && len(overlap(entry.Span, region)) > 0
	})
}
