package grid

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

func drawSeries(t *rapid.T, label string) frame.Series {
	interval := rapid.SampledFrom([]int32{
		200, 1000, 3000, 3001, 7000, 20000, 60000, 299_999, 300_000, 300_001,
		3_600_000,
	}).Draw(t, label+" interval")
	return frame.Series{
		StreamName: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, label+" stream"),
		IntervalMs: interval,
		PhaseMs:    rapid.Int32Range(0, interval-1).Draw(t, label+" phase"),
		Format:     rapid.SampledFrom([]string{frame.JPEG, frame.PNG}).Draw(t, label+" format"),
	}
}

// drawSpans draws spans of a few series that overlap a lot.
func drawSpans(t *rapid.T, label string, series []frame.Series, most int) []frame.Span {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) frame.Span {
		return frame.Span{
			Series:  rapid.SampledFrom(series).Draw(t, "series"),
			First:   rapid.Int64Range(0, 300).Draw(t, "first"),
			Samples: rapid.Int64Range(1, 200).Draw(t, "samples"),
		}
	}), 0, most).Draw(t, label)
}

type sample struct {
	series frame.Series
	index  int64
}

func samplesOf(spans []frame.Span) map[sample]int {
	all := make(map[sample]int)
	for _, s := range spans {
		for i := s.First; i < s.End(); i++ {
			all[sample{s.Series, i}]++
		}
	}
	return all
}

// drawWorks draws what is asked and what a ledger has, and cuts what is missing.
func drawWorks(t *rapid.T) (asked, have []frame.Span, again map[frame.Span]bool, works []*framepb.Work) {
	var series []frame.Series
	for i := range rapid.IntRange(1, 4).Draw(t, "number of series") {
		series = append(series, drawSeries(t, fmt.Sprint("series ", i)))
	}
	n := int64(rapid.IntRange(1, 120).Draw(t, "shard samples"))
	asked = drawSpans(t, "asked", series, 8)
	// What a ledger has was cut as shards of earlier requests.
	again = make(map[frame.Span]bool)
	for _, run := range Union(drawSpans(t, "had", series, 4)) {
		for k := range ShardCount(run, n) {
			shard := ShardAt(run, n, k)
			have = append(have, shard)
			again[shard] = rapid.Bool().Draw(t, "again")
		}
	}
	var missing []frame.Span
	for spans := range BySeries(Union(asked)) {
		var done, redo []frame.Span
		for _, h := range have {
			switch {
			case h.Series != spans[0].Series:
			case again[h]:
				redo = append(redo, h)
			default:
				done = append(done, h)
			}
		}
		missing = append(missing, Difference(spans, done, redo)...)
	}
	return asked, have, again, CutWorks(missing, n, rapid.IntRange(1, 6).Draw(t, "works"))
}

// Every missing sample is in exactly one window of one shard of one run of one
// work, and no other sample is.
func TestWorksCoverEachMissingSampleOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asked, have, again, works := drawWorks(t)
		want := samplesOf(asked)
		for _, h := range have {
			redo := false
			if again[h] {
				for s := range samplesOf([]frame.Span{h}) {
					redo = redo || want[s] > 0
				}
			}
			for s := range samplesOf([]frame.Span{h}) {
				if redo {
					want[s] = 1
				} else {
					delete(want, s)
				}
			}
		}
		got := make(map[sample]int)
		for _, w := range works {
			order := NewOrder(w)
			for k := range order.Total {
				shard := order.At(k)
				if shard.Samples > int64(w.ShardSamples) {
					t.Fatalf("shard of %d samples", shard.Samples)
				}
				for win := range Windows(shard) {
					if win.End()-win.Start > MaxRange || win.End() < win.At(win.N-1) {
						t.Fatalf("window %+v ends at %d", win, win.End())
					}
					for i := range win.N {
						got[sample{shard.Series, shard.Series.Index(win.At(i))}]++
					}
				}
			}
		}
		for s := range want {
			if got[s] != 1 {
				t.Fatalf("sample %+v is covered %d times", s, got[s])
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d samples covered, %d missing", len(got), len(want))
		}
	})
}

func TestWorksAreEqualAndStreamsStayTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, _, _, works := drawWorks(t)
		if len(works) == 0 {
			return
		}
		least, most := int64(1<<62), int64(0)
		shards := make(map[StreamKey]int64)
		worksOf := make(map[StreamKey]int64)
		for _, w := range works {
			order := NewOrder(w)
			least, most = min(least, order.Total), max(most, order.Total)
			for _, s := range order.streams {
				shards[s.key] += s.total
				worksOf[s.key]++
			}
		}
		if most-least > 1 {
			t.Fatalf("works of %d to %d shards", least, most)
		}
		for key, n := range worksOf {
			if needs := (shards[key]+least-1)/least + 1; n > needs {
				t.Fatalf("stream %v of %d shards is in %d works of %d shards", key, shards[key], n, least)
			}
		}
	})
}

// Between two shards of a stream every other stream that has more has a turn.
func TestStreamsTakeTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, _, _, works := drawWorks(t)
		for _, w := range works {
			order := NewOrder(w)
			turns := make(map[StreamKey]int64)
			for k := range order.Total {
				key := KeyOf(order.At(k).Series)
				turns[key]++
				for _, s := range order.streams {
					other := s.key
					if turns[other]+1 < turns[key] && turns[other] < s.total {
						t.Fatalf("%v has had %d turns, %v %d of %d", key, turns[key], other, turns[other], s.total)
					}
				}
			}
		}
	})
}

// The shards of two overlapping requests are the same but for those at the
// edges.
func TestOverlappingRequestsHaveTheSameShards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		series := drawSeries(t, "series")
		n := rapid.Int64Range(1, 120).Draw(t, "shard samples")
		draw := func(label string) frame.Span {
			return frame.Span{
				Series: series, First: rapid.Int64Range(0, 1<<40).Draw(t, label),
				Samples: rapid.Int64Range(1, 1000).Draw(t, label+" samples"),
			}
		}
		a := draw("a")
		b := a
		b.First = max(0, a.First+rapid.Int64Range(-500, 500).Draw(t, "shift"))
		inner := func(r frame.Span) map[frame.Span]bool {
			shards := make(map[frame.Span]bool)
			for k := range ShardCount(r, n) {
				if s := ShardAt(r, n, k); s.First > max(a.First, b.First) && s.End() < min(a.End(), b.End()) {
					shards[s] = true
				}
			}
			return shards
		}
		inA, inB := inner(a), inner(b)
		if len(inA) != len(inB) {
			t.Fatalf("%d and %d inner shards", len(inA), len(inB))
		}
		for s := range inA {
			if !inB[s] {
				t.Fatalf("shard %v is not in both", s)
			}
			if s.First%n != 0 || s.Samples != n {
				t.Fatalf("inner shard %v is not cut at multiples of %d", s, n)
			}
		}
	})
}
