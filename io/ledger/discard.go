package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/kvsframes/kvsframes/io/frame"
)

// Discard removes loose receipts of spans that are damaged, so that listings no
// longer show them and their shards are fetched again. It returns how many there
// were, and what the names of the series' receipts say then. It reads every loose
// receipt that has a sample of the spans.
func (l *Ledger) Discard(ctx context.Context, spans ...frame.Span) (
	discarded int, left map[frame.Series]Files, err error,
) {
	asked := frame.BySeries(spans)
	all := slices.Collect(maps.Keys(asked))
	listed := make([]Files, len(all))
	gone := make(map[Entry]bool)
	var mu sync.Mutex
	err = each(len(all), func(i int) (err error) {
		if listed[i], err = l.Files(ctx, all[i]); err != nil {
			return fmt.Errorf("looking for damaged receipts of %s: %w", all[i].StreamName, err)
		}
		region := frame.Union(asked[all[i]])
		var loose []Entry
		for _, entry := range listed[i].Loose {
			if len(overlap(entry.Span, region)) > 0 {
				loose = append(loose, entry)
			}
		}
		return each(len(loose), func(i int) error {
			if _, err := l.Read(ctx, loose[i]); !isDamaged(err) {
				return nil
			}
			mu.Lock()
			gone[loose[i]] = true
			mu.Unlock()
			if err := l.store.Remove(ctx, loose[i].Path()); err != nil {
				return fmt.Errorf("removing a damaged receipt: %w", err)
			}
			return nil
		})
	})
	if err != nil {
		return 0, nil, err
	}
	left = make(map[frame.Series]Files, len(all))
	for i, series := range all {
		files := listed[i]
		files.Loose = slices.DeleteFunc(files.Loose, func(entry Entry) bool { return gone[entry] })
		left[series] = files
	}
	return len(gone), left, nil
}
