package kvsio

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/framepb"
)

func drawSeries(t *rapid.T, label string) framepb.Series {
	interval := rapid.SampledFrom([]int32{200, 1000, 3000, 3001, 7000, 20000, 60000, 299_999, 300_000, 300_001, 3_600_000}).Draw(t, label+" interval")
	return framepb.Series{
		StreamName: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, label+" stream"),
		IntervalMs: interval,
		PhaseMs:    rapid.Int32Range(0, interval-1).Draw(t, label+" phase"),
		Format:     rapid.SampledFrom([]string{framepb.JPEG, framepb.PNG}).Draw(t, label+" format"),
	}
}

// drawSpans draws spans of a few series that overlap a lot.
func drawSpans(t *rapid.T, label string, series []framepb.Series, most int) []framepb.Span {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) framepb.Span {
		return framepb.Span{
			Series:  rapid.SampledFrom(series).Draw(t, "series"),
			First:   rapid.Int64Range(0, 300).Draw(t, "first"),
			Samples: rapid.Int64Range(1, 200).Draw(t, "samples"),
		}
	}), 0, most).Draw(t, label)
}

type sample struct {
	series framepb.Series
	index  int64
}

func samplesOf(spans []framepb.Span) map[sample]int {
	all := make(map[sample]int)
	for _, s := range spans {
		for i := s.First; i < s.End(); i++ {
			all[sample{s.Series, i}]++
		}
	}
	return all
}

// drawPlan draws what is asked and what a ledger has, and plans.
func drawPlan(t *rapid.T) (asked, have []framepb.Span, again map[framepb.Span]bool, plan *Plan, n int) {
	var series []framepb.Series
	for i := range rapid.IntRange(1, 4).Draw(t, "number of series") {
		series = append(series, drawSeries(t, fmt.Sprint("series ", i)))
	}
	n = rapid.IntRange(1, 120).Draw(t, "shard samples")
	asked = drawSpans(t, "asked", series, 8)
	// What a ledger has was cut as shards of earlier requests.
	again = make(map[framepb.Span]bool)
	taken := make(map[sample]int)
	for _, run := range union(drawSpans(t, "had", series, 4)) {
		for k := range shardCount(run, int64(n)) {
			shard := shardAt(run, int64(n), k)
			have = append(have, shard)
			again[shard] = rapid.Bool().Draw(t, "again")
			for s := range samplesOf([]framepb.Span{shard}) {
				taken[s]++
			}
		}
	}
	params := ReadParams{ShardSamples: n, Works: rapid.IntRange(1, 6).Draw(t, "works")}.withDefaults()
	plan, err := planFrom(params, asked, func(s framepb.Series) (done, redo []framepb.Span, err error) {
		for _, h := range have {
			switch {
			case h.Series != s:
			case again[h]:
				redo = append(redo, h)
			default:
				done = append(done, h)
			}
		}
		return done, redo, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return asked, have, again, plan, n
}

// Every missing sample is in exactly one window of one shard of one run of one
// work, and no other sample is.
func TestPlanCoversEachMissingSampleOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asked, have, again, plan, _ := drawPlan(t)
		want := samplesOf(asked)
		for _, h := range have {
			redo := false
			if again[h] {
				for s := range samplesOf([]framepb.Span{h}) {
					redo = redo || want[s] > 0
				}
			}
			for s := range samplesOf([]framepb.Span{h}) {
				if redo {
					want[s] = 1
				} else {
					delete(want, s)
				}
			}
		}
		got := make(map[sample]int)
		for _, w := range plan.Works {
			order := newWorkShards(w)
			for k := range order.total {
				shard := order.at(k)
				if shard.Samples > int64(w.ShardSamples) {
					t.Fatalf("shard of %d samples", shard.Samples)
				}
				for win := range windows(shard) {
					if win.end()-win.start > maxRange || win.end() < win.at(win.n-1) {
						t.Fatalf("window %+v ends at %d", win, win.end())
					}
					for i := range win.n {
						got[sample{shard.Series, shard.Series.Index(win.at(i))}]++
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
		_, _, _, plan, _ := drawPlan(t)
		if len(plan.Works) == 0 {
			return
		}
		least, most := int64(1<<62), int64(0)
		shards := make(map[streamKey]int64)
		works := make(map[streamKey]int64)
		for _, w := range plan.Works {
			order := newWorkShards(w)
			least, most = min(least, order.total), max(most, order.total)
			for _, s := range order.streams {
				shards[keyOf(s.runs[0].Series)] += s.total
				works[keyOf(s.runs[0].Series)]++
			}
		}
		if most-least > 1 {
			t.Fatalf("works of %d to %d shards", least, most)
		}
		for key, n := range works {
			if needs := (shards[key]+least-1)/least + 1; n > needs {
				t.Fatalf("stream %v of %d shards is in %d works of %d shards", key, shards[key], n, least)
			}
		}
	})
}

// Between two shards of a stream every other stream that has more has a turn.
func TestStreamsTakeTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, _, _, plan, _ := drawPlan(t)
		for _, w := range plan.Works {
			order := newWorkShards(w)
			turns := make(map[streamKey]int64)
			for k := range order.total {
				key := keyOf(order.at(k).Series)
				turns[key]++
				for _, s := range order.streams {
					other := keyOf(s.runs[0].Series)
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
		draw := func(label string) framepb.Span {
			return framepb.Span{
				Series: series, First: rapid.Int64Range(0, 1<<40).Draw(t, label),
				Samples: rapid.Int64Range(1, 1000).Draw(t, label+" samples"),
			}
		}
		a := draw("a")
		b := a
		b.First = max(0, a.First+rapid.Int64Range(-500, 500).Draw(t, "shift"))
		inner := func(r framepb.Span) map[framepb.Span]bool {
			shards := make(map[framepb.Span]bool)
			for k := range shardCount(r, n) {
				if s := shardAt(r, n, k); s.First > max(a.First, b.First) && s.End() < min(a.End(), b.End()) {
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

func TestSpanOfRequest(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name, start, end string
		interval         time.Duration
		samples          int64
		first            string
	}{
		{"whole", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z", 3 * time.Second, 100, "2026-01-01T00:00:00Z"},
		{"the end is not part of it", "2026-01-01T00:00:00Z", "2026-01-01T00:00:03Z", 3 * time.Second, 1, "2026-01-01T00:00:00Z"},
		{"one more past the end", "2026-01-01T00:00:00Z", "2026-01-01T00:00:03.001Z", 3 * time.Second, 2, "2026-01-01T00:00:00Z"},
		{"below the interval", "2026-01-01T00:00:01.5Z", "2026-01-01T00:00:01.6Z", 3 * time.Second, 1, "2026-01-01T00:00:01.5Z"},
		{"phase", "2026-01-01T00:00:01.234Z", "2026-01-01T00:00:07.5Z", 3 * time.Second, 3, "2026-01-01T00:00:01.234Z"},
		{"rounded to the nearest millisecond", "2026-01-01T00:00:00.0004Z", "2026-01-01T00:00:03.0005Z", 3 * time.Second, 2, "2026-01-01T00:00:00Z"},
		{"a range inside a millisecond", "2026-01-01T00:00:00.0001Z", "2026-01-01T00:00:00.0002Z", 3 * time.Second, 1, "2026-01-01T00:00:00Z"},
		{"the epoch", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z", 3 * time.Second, 1, "1970-01-01T00:00:00Z"},
		{"the last year", "2262-04-11T23:47:10Z", "2262-04-11T23:47:16Z", 3 * time.Second, 2, "2262-04-11T23:47:10Z"},
		{"an interval over 300 s", "2026-01-01T00:00:00Z", "2026-01-01T10:00:00Z", time.Hour, 10, "2026-01-01T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := valid()
			r.StartTimestamp, r.EndTimestamp, r.SamplingInterval = at(c.start), at(c.end), c.interval
			if err := r.Validate(); err != nil {
				t.Fatal(err)
			}
			span := r.Span()
			if span.Samples != c.samples {
				t.Errorf("%d samples, want %d", span.Samples, c.samples)
			}
			if got := time.UnixMilli(span.Series.At(span.First)).UTC(); !got.Equal(at(c.first)) {
				t.Errorf("first sample at %v, want %v", got, c.first)
			}
		})
	}
}
