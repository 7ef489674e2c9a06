package grid

import (
	"cmp"
	"iter"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
)

// Union merges spans that overlap or touch. Streams stand in the order in which
// they first appear, and so do the series of a stream and then time.
func Union(spans []frame.Span) []frame.Span {
	var order []frame.Series
	bySeries := make(map[frame.Series][]frame.Span)
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
	slices.SortStableFunc(order, func(a, b frame.Series) int {
		return cmp.Compare(streams[KeyOf(a)], streams[KeyOf(b)])
	})
	var merged []frame.Span
	for _, series := range order {
		merged = append(merged, frame.Union(bySeries[series])...)
	}
	return merged
}

// Difference returns what is left of asked (one series, as Union returns it) once
// the shards that are done are taken out. Shards in again are there, but are
// to be fetched again: each that is asked for, if only in part, is a run of its
// own, so that it is cut as it was and replaces what it was.
func Difference(asked, done, again []frame.Span) []frame.Span {
	var redo []frame.Span
	for _, shard := range again {
		if Overlaps(asked, shard) {
			redo = append(redo, shard)
		}
	}
	runs := append(frame.Minus(asked, frame.Union(slices.Concat(done, redo))), redo...)
	slices.SortFunc(runs, func(a, b frame.Span) int { return cmp.Compare(a.First, b.First) })
	return runs
}

// Overlaps reports whether one of spans (one series, in order of time) has a sample
// of s.
func Overlaps(spans []frame.Span, s frame.Span) bool {
	i, _ := slices.BinarySearchFunc(spans, s.First, func(o frame.Span, first int64) int {
		return cmp.Compare(o.End()-1, first)
	})
	return i < len(spans) && spans[i].First < s.End()
}

// BySeries yields the stretches of spans that are of one series.
func BySeries(spans []frame.Span) iter.Seq[[]frame.Span] {
	return func(yield func([]frame.Span) bool) {
		for len(spans) > 0 {
			n := slices.IndexFunc(spans, func(s frame.Span) bool { return s.Series != spans[0].Series })
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
