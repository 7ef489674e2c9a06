package frame

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestUnionMinus: what is in a union and in a difference, sample by sample.
func TestUnionMinus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Span {
			return Span{First: rapid.Int64Range(0, 30).Draw(t, "first"), Samples: rapid.Int64Range(0, 8).Draw(t, "samples")}
		}), 0, 6)
		a, b := spans.Draw(t, "a"), spans.Draw(t, "b")
		in := func(spans []Span, i int64) bool {
			return slices.ContainsFunc(spans, func(s Span) bool { return s.First <= i && i < s.End() })
		}
		union, left := Union(a), Minus(Union(a), Union(b))
		for i := range int64(50) {
			if in(union, i) != in(a, i) {
				t.Fatalf("sample %d of %v: Union = %v", i, a, union)
			}
			if in(left, i) != (in(a, i) && !in(b, i)) {
				t.Fatalf("sample %d of %v minus %v: Minus = %v", i, a, b, left)
			}
		}
		for _, set := range [][]Span{union, left} {
			for i, s := range set {
				if s.Samples <= 0 || i > 0 && set[i-1].End() >= s.First {
					t.Fatalf("%v is not in order and apart", set)
				}
			}
		}
	})
}
