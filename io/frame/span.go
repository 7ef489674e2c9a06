package frame

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Span is consecutive samples of one series: a request, a run or a shard.
type Span struct {
	Series  Series
	First   int64 // index of the first sample
	Samples int64
}

// End returns the index after the span's last sample.
func (s Span) End() int64 { return s.First + s.Samples }

// Name returns a name of the span within its series that is fit for files and
// sorts by time: the instant of the first sample and the number of samples,
// "20260101T000000000Z-100".
func (s Span) Name() string {
	return fmt.Sprintf("%s-%d", Instant(s.Series.At(s.First)), s.Samples)
}

// String names the span for people: stream and instants, the end exclusive.
func (s Span) String() string {
	return fmt.Sprintf("%s at %s (%d samples)", s.Series.StreamName,
		time.UnixMilli(s.Series.At(s.First)).UTC().Format(time.RFC3339Nano), s.Samples)
}

// Compare orders spans of one series by where they begin, then by their length.
func (s Span) Compare(other Span) int {
	return cmp.Or(cmp.Compare(s.First, other.First), cmp.Compare(s.Samples, other.Samples))
}

// Slice returns the samples of the span's series from first up to end, which may lie
// outside the span.
func (s Span) Slice(first, end int64) Span {
	s.First, s.Samples = first, end-first
	return s
}

// Crosses reports whether a span has samples on both sides of a multiple of n.
func (s Span) Crosses(n int64) bool {
	return floorDiv(s.First, n) != floorDiv(s.First+max(s.Samples, 1)-1, n)
}

// Union returns the samples that are in any of the spans, which must be of one
// series, as the fewest spans: in order, apart from each other, none empty.
func Union(spans []Span) []Span {
	sorted := slices.Clone(spans)
	slices.SortFunc(sorted, Span.Compare)
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
func Minus(a, b []Span) []Span {
	var left []Span
	for _, span := range a {
		for len(b) > 0 && b[0].End() <= span.First {
			b = b[1:]
		}
		for _, hole := range b {
			if hole.First >= span.End() {
				break
			}
			if hole.First > span.First {
				left = append(left, span.Slice(span.First, hole.First))
			}
			span = span.Slice(hole.End(), span.End())
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

// Common returns the samples that are in a and in b. Both must be of one series and as Union
// returns them, and so is what they have in common.
func Common(a, b []Span) []Span { return Minus(a, Minus(a, b)) }

// Count returns the number of samples of spans that do not overlap.
func Count(spans []Span) int64 {
	var n int64
	for _, span := range spans {
		n += span.Samples
	}
	return n
}

// BySeries returns spans by their series, in the order that they have.
func BySeries(spans []Span) map[Series][]Span {
	of := make(map[Series][]Span)
	for _, span := range spans {
		of[span.Series] = append(of[span.Series], span)
	}
	return of
}
