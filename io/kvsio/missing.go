package kvsio

import (
	"cmp"
	"slices"

	"github.com/kvsframes/kvsframes/io/framepb"
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
		of := bySeries[series]
		slices.SortFunc(of, byFirst)
		start := len(merged)
		for _, s := range of {
			if last := len(merged) - 1; last >= start && s.First <= merged[last].End() {
				merged[last].Samples = max(merged[last].End(), s.End()) - merged[last].First
				continue
			}
			merged = append(merged, s)
		}
	}
	return merged
}

// missing returns what is left of asked (one series, as union returns it) once
// the shards that are done are taken out. Shards in again are there, but are
// to be fetched again: each that is asked for, if only in part, is a run of its
// own, so that it is cut as it was and replaces what it was.
func missing(asked, done, again []framepb.Span) []framepb.Span {
	var there []framepb.Span
	runs := make([]framepb.Span, 0, len(asked)+len(again))
	for _, a := range again {
		if overlapsAny(asked, a) {
			runs = append(runs, a)
			there = append(there, a)
		}
	}
	there = union(append(there, done...))
	next := 0
	for _, a := range asked {
		for next < len(there) && there[next].End() <= a.First {
			next++
		}
		at := a.First
		for i := next; i < len(there) && there[i].First < a.End(); i++ {
			if there[i].First > at {
				runs = append(runs, framepb.Span{Series: a.Series, First: at, Samples: there[i].First - at})
			}
			at = max(at, there[i].End())
		}
		if at < a.End() {
			runs = append(runs, framepb.Span{Series: a.Series, First: at, Samples: a.End() - at})
		}
	}
	slices.SortFunc(runs, byFirst)
	return runs
}

func overlapsAny(spans []framepb.Span, s framepb.Span) bool {
	i, _ := slices.BinarySearchFunc(spans, s.First, func(o framepb.Span, first int64) int {
		return cmp.Compare(o.End()-1, first)
	})
	return i < len(spans) && spans[i].First < s.End()
}

func byFirst(a, b framepb.Span) int { return cmp.Compare(a.First, b.First) }
