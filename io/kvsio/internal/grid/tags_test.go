package grid

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
)

// TestTags: whatever is asked for under whichever tags, and however it is cut into works
// and shards, each sample comes under each of its tags once, and under no other.
func TestTags(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		series := []frame.Series{{StreamName: "a", IntervalMs: 1000}, {StreamName: "b", IntervalMs: 1000}}
		var asked []Tagged
		want := make(map[string]map[sample]bool)
		for _, span := range drawSpans(t, "asked", series, 6) {
			tag := rapid.SampledFrom([]string{"", "x", "y", "\xff"}).Draw(t, "tag")
			asked = append(asked, Tagged{Tag: tag, Span: span})
			if want[tag] == nil {
				want[tag] = make(map[sample]bool)
			}
			for s := range samplesOf([]frame.Span{span}) {
				want[tag][s] = true
			}
		}
		spans := make([]frame.Span, len(asked))
		for i, a := range asked {
			spans[i] = a.Span
		}
		n := rapid.Int64Range(1, 40).Draw(t, "samples a shard")
		works := CutWorks(Union(spans), n, rapid.IntRange(1, 6).Draw(t, "works"))
		NewTags(asked).AddTo(works)
		got := make(map[string]map[sample]bool)
		for _, w := range works {
			tags, order := TagsOf(w), NewOrder(w)
			for k := range order.Total {
				for tag, span := range tags.In(order.At(k)) {
					if got[tag] == nil {
						got[tag] = make(map[sample]bool)
					}
					for s := range samplesOf([]frame.Span{span}) {
						if got[tag][s] || !want[tag][s] {
							t.Fatalf("%v under %q: twice %t", s, tag, got[tag][s])
						}
						got[tag][s] = true
					}
				}
			}
		}
		for tag := range want {
			if len(got[tag]) != len(want[tag]) {
				t.Fatalf("%d samples under %q, want %d", len(got[tag]), tag, len(want[tag]))
			}
		}
	})
}

// TestWithoutTags: works of requests without tags are as they were.
func TestWithoutTags(t *testing.T) {
	span := frame.Span{Series: frame.Series{StreamName: "a", IntervalMs: 1000}, Samples: 10}
	works := CutWorks([]frame.Span{span}, 5, 1)
	NewTags([]Tagged{{Span: span}}).AddTo(works)
	if len(works[0].Tagged) != 0 {
		t.Errorf("the work has tags: %v", works[0])
	}
}
