package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/frame"
)

// Discard removes the receipts of spans that are damaged, so that listings no
// longer show them and their shards are fetched again, and returns how many
// there were. It reads every receipt that has a sample of the spans.
func (l *Ledger) Discard(ctx context.Context, spans ...frame.Span) (int, error) {
	asked := make(map[frame.Series][]frame.Span)
	for _, span := range spans {
		asked[span.Series] = append(asked[span.Series], span)
	}
	var discarded atomic.Int64
	var group errgroup.Group
	group.SetLimit(readers)
	for series, spans := range asked {
		entries, err := l.Have(ctx, series)
		if err != nil {
			return 0, fmt.Errorf("looking for damaged receipts of %s: %w", series.StreamName, err)
		}
		region := frame.Union(spans)
		for _, entry := range entries {
			if len(overlap(entry.Span, region)) == 0 {
				continue
			}
			group.Go(func() error {
				var damaged *DamagedError
				if _, err := l.Read(ctx, entry); !errors.As(err, &damaged) {
					return nil
				}
				discarded.Add(1)
				return l.store.Remove(ctx, entry.Path())
			})
		}
	}
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("removing a damaged receipt: %w", err)
	}
	return int(discarded.Load()), nil
}
