package grid

import (
	"cmp"
	"iter"
	"slices"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// Union merges spans that overlap or touch. Streams stand in the order in which
// they first appear, and so do the series of a stream and then time.
func Union(spans []framepb.Span) []framepb.Span {
	var order []framepb.Series
	bySeries := make(map[framepb.Series][]framepb.Span)
	streams := make(map[StreamKey]int)
	for _, s := range spans {
		if _, ok := bySeries[s.Series]; !ok {
			order = append(order, s.Series)
		}
		bySeries[s.Series] = append(bySeries[s.Series], s)
		if key := KeyOf(s.Series); streams[key] == 0 {
			streams[key] = len(streams) + 1
		}
	}
	slices.SortStableFunc(order, func(a, b framepb.Series) int {
		return cmp.Compare(streams[KeyOf(a)], streams[KeyOf(b)])
	})
	var merged []framepb.Span
	for _, series := range order {
		merged = append(merged, ledger.Union(bySeries[series])...)
	}
	return merged
}

// Difference returns what is left of asked (one series, as Union returns it) once
// the shards that are done are taken out. Shards in again are there, but are
// to be fetched again: each that is asked for, if only in part, is a run of its
// own, so that it is cut as it was and replaces what it was.
func Difference(asked, done, again []framepb.Span) []framepb.Span {
	var redo []framepb.Span
	for _, shard := range again {
		if Overlaps(asked, shard) {
			redo = append(redo, shard)
		}
	}
	runs := append(ledger.Minus(asked, ledger.Union(slices.Concat(done, redo))), redo...)
	slices.SortFunc(runs, func(a, b framepb.Span) int { return cmp.Compare(a.First, b.First) })
	return runs
}

// Overlaps reports whether one of spans (one series, in order of time) has a sample
// of s.
func Overlaps(spans []framepb.Span, s framepb.Span) bool {
	i, _ := slices.BinarySearchFunc(spans, s.First, func(o framepb.Span, first int64) int {
		return cmp.Compare(o.End()-1, first)
	})
	return i < len(spans) && spans[i].First < s.End()
}

// BySeries yields the stretches of spans that are of one series.
func BySeries(spans []framepb.Span) iter.Seq[[]framepb.Span] {
	return func(yield func([]framepb.Span) bool) {
		for len(spans) > 0 {
			n := slices.IndexFunc(spans, func(s framepb.Span) bool { return s.Series != spans[0].Series })
			if n < 0 {
				n = len(spans)
			}
			if !yield(spans[:n:n]) {
				return
			}
			spans = spans[n:]
		}
	}
}
