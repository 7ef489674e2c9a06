package kvsio

import (
	"cmp"
	"slices"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// A backfill is a set difference: what is asked, minus what a ledger has.

// union merges spans that overlap or touch. Streams stand in the order in which
// they first appear, and so do the series of a stream and then time.
func union(spans []framepb.Span) []framepb.Span {
	var order []framepb.Series
	bySeries := make(map[framepb.Series][]framepb.Span)
	streams := make(map[streamKey]int)
	for _, s := range spans {
		if _, ok := bySeries[s.Series]; !ok {
			order = append(order, s.Series)
		}
		bySeries[s.Series] = append(bySeries[s.Series], s)
		if key := keyOf(s.Series); streams[key] == 0 {
			streams[key] = len(streams) + 1
		}
	}
	slices.SortStableFunc(order, func(a, b framepb.Series) int {
		return cmp.Compare(streams[keyOf(a)], streams[keyOf(b)])
	})
	var merged []framepb.Span
	for _, series := range order {
		merged = append(merged, ledger.Union(bySeries[series])...)
	}
	return merged
}

// missing returns what is left of asked (one series, as union returns it) once
// the shards that are done are taken out. Shards in again are there, but are
// to be fetched again: each that is asked for, if only in part, is a run of its
// own, so that it is cut as it was and replaces what it was.
func missing(asked, done, again []framepb.Span) []framepb.Span {
	var redo []framepb.Span
	for _, shard := range again {
		if overlapsAny(asked, shard) {
			redo = append(redo, shard)
		}
	}
	runs := append(ledger.Minus(asked, ledger.Union(slices.Concat(done, redo))), redo...)
	slices.SortFunc(runs, func(a, b framepb.Span) int { return cmp.Compare(a.First, b.First) })
	return runs
}

func overlapsAny(spans []framepb.Span, s framepb.Span) bool {
	i, _ := slices.BinarySearchFunc(spans, s.First, func(o framepb.Span, first int64) int {
		return cmp.Compare(o.End()-1, first)
	})
	return i < len(spans) && spans[i].First < s.End()
}
