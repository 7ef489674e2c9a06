package ledger

import (
	"slices"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// Union returns the samples that are in any of the spans, which must be of one
// series, as the fewest spans: in order, apart from each other, none empty.
func Union(spans []framepb.Span) []framepb.Span {
	sorted := slices.Clone(spans)
	slices.SortFunc(sorted, compareSpans)
	union := sorted[:0]
	for _, span := range sorted {
		if span.Samples <= 0 {
			continue
		}
		if n := len(union); n > 0 && span.First <= union[n-1].End() {
			union[n-1].Samples = max(union[n-1].End(), span.End()) - union[n-1].First
			continue
		}
		union = append(union, span)
	}
	return union
}

// Minus returns the samples that are in a and not in b. Both must be of one
// series and as Union returns them, and so is the difference.
func Minus(a, b []framepb.Span) []framepb.Span {
	var left []framepb.Span
	for _, span := range a {
		for len(b) > 0 && b[0].End() <= span.First {
			b = b[1:]
		}
		for _, hole := range b {
			if hole.First >= span.End() {
				break
			}
			if hole.First > span.First {
				left = append(left, between(span, span.First, hole.First))
			}
			span = between(span, hole.End(), span.End())
			if span.Samples <= 0 {
				break
			}
		}
		if span.Samples > 0 {
			left = append(left, span)
		}
	}
	return left
}

// Count returns the number of samples of spans that do not overlap.
func Count(spans []framepb.Span) int64 {
	var n int64
	for _, span := range spans {
		n += span.Samples
	}
	return n
}

func between(span framepb.Span, first, end int64) framepb.Span {
	span.First, span.Samples = first, end-first
	return span
}
