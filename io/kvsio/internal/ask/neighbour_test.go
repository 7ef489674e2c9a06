package ask

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// TestNoSampleGetsItsNeighboursPicture: where the entry of a sample is left out, and the next
// one's tells a time just before the sample, the sample gets its own picture all the same.
func TestNoSampleGetsItsNeighboursPicture(t *testing.T) {
	const step, lost = 1000, 42
	for _, c := range []struct {
		name     string
		period   int64
		before   int64 // ms of media before the first sample
		pageSize int
		off      int64 // how far the next entry's time is off
		again    int64 // and how far when it is asked for again
	}{
		{"pages of one entry", 1000, 60_945, 1, -273, 0},
		{"a page whose other times are right", 750, 60_490, 3, -400, 0},
		{"a wrong time that comes after", 1000, 60_800, 1, -400, 350},
	} {
		t.Run(c.name, func(t *testing.T) {
			series := frame.Series{StreamName: "a", IntervalMs: step, Format: frame.JPEG}
			span := frame.Span{Series: series, First: 1 << 20, Samples: 87}
			first := series.At(span.First)
			a := &archive{
				stretches: []stretch{{first - c.before, first + 1_000_000}}, fragment: 500, period: c.period, pageSize: c.pageSize,
			}
			own, next := a.truth(first+lost*step), a.truth(first+(lost+1)*step)
			if wrong := next.MS + c.off - (first + lost*step); wrong > 0 || 2*wrong <= -step || next.MS == own.MS {
				t.Fatalf("the next picture's time is %d ms after the sample: no neighbour's", wrong)
			}
			left, shifted := false, false
			a.harm = func(w grid.Window, from int, entries []Answer, token string) ([]Answer, string, error) {
				for i := range entries {
					if shifted && entries[i].MS == next.MS {
						entries[i].MS += c.again
					}
				}
				if w.Step != step || shifted {
					return entries, token, nil
				}
				i := lost + int((first-w.Start)/step) - from // of the sample's entry
				if j := i + 1; j >= 0 && j < len(entries) && (left || i >= 0) {
					entries[j].MS, shifted = entries[j].MS+c.off, true
				}
				if i >= 0 && i < len(entries) {
					entries, left = slices.Delete(entries, i, i+1), true
				}
				return entries, token, nil
			}
			shard, err := Shard(context.Background(), a, span, []frame.Span{span})
			if err != nil || !left || !shifted {
				t.Fatalf("an entry left out: %v, the next one shifted: %v; %v", left, shifted, err)
			}
			checkPictures(t, a, span, shard)
		})
	}
}

// checkPictures holds the pictures of a shard, but not their times, against the archive, which
// has media for all of it.
func checkPictures(t rapid.TB, a *archive, span frame.Span, shard frame.Shard) {
	t.Helper()
	if len(shard.Frames) != int(span.Samples) || len(shard.Gaps) != 0 {
		t.Fatalf("%d frames of %d samples, gaps %+v", len(shard.Frames), span.Samples, shard.Gaps)
	}
	for _, f := range shard.Frames {
		if want := a.truth(f.SampleMs); !bytes.Equal(f.Data, want.Data) {
			t.Fatalf("the sample at %d has the picture of %s, want %s", f.SampleMs, f.Data, want.Data)
		}
	}
}

// TestLostEntriesAndWrongTimes: whatever entries are left out, and whatever times are off by
// up to 40 % of the interval, no sample gets another's picture.
func TestLostEntriesAndWrongTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.Int32Range(200, 12_000).Draw(t, "interval")
		series := frame.Series{
			StreamName: "a", IntervalMs: interval, PhaseMs: rapid.Int32Range(0, interval-1).Draw(t, "phase"), Format: frame.JPEG,
		}
		span := frame.Span{Series: series, First: 1 << 20, Samples: rapid.Int64Range(1, 60).Draw(t, "samples")}
		start := series.At(span.First) - 60_000 - rapid.Int64Range(0, 20_000).Draw(t, "before")
		a := &archive{
			stretches: []stretch{{start, start + 10_000_000}},
			fragment:  rapid.Int64Range(500, longestFragment).Draw(t, "fragment"),
			period:    min(longestFragment, int64(interval)*rapid.Int64Range(30, 200).Draw(t, "period")/100),
			pageSize:  rapid.SampledFrom([]int{1, 1, 2, 3, 10, 25, 25, 40}).Draw(t, "page size"),
			inclusive: rapid.Bool().Draw(t, "inclusive"),
		}
		a.harm = loseAndShift(rapid.Float64Range(0.05, 0.6).Draw(t, "rate"), rapid.Uint64().Draw(t, "seed"))
		shard, err := Shard(context.Background(), a, span, []frame.Span{span})
		if err != nil {
			t.Skip(err) // it is said, and the shard asked for again
		}
		checkPictures(t, a, span, shard)
	})
}

// loseAndShift spoils pages at a rate: it leaves out an entry, or sets a time up to 40 % of
// the range's interval off.
func loseAndShift(rate float64, seed uint64) func(grid.Window, int, []Answer, string) ([]Answer, string, error) {
	dice := rand.New(rand.NewPCG(seed, 0))
	return func(w grid.Window, _ int, entries []Answer, next string) ([]Answer, string, error) {
		if len(entries) == 0 || dice.Float64() >= rate {
			return entries, next, nil
		}
		i := dice.IntN(len(entries))
		if dice.IntN(2) == 0 {
			return slices.Delete(entries, i, i+1), next, nil
		}
		off := 1 + dice.Int64N(w.Step*4/10)
		if dice.IntN(2) == 0 {
			off = -off
		}
		entries[i].MS += off
		return entries, next, nil
	}
}

// TestStillScenesCostNothing: that pictures are all the same is no reason to ask again.
func TestStillScenesCostNothing(t *testing.T) {
	for _, c := range []struct {
		period   int64
		pageSize int
		instants bool
	}{{333, 1, false}, {333, 10, false}, {333, 25, false}, {2000, 25, false}, {7000, 10, true}, {7000, 25, true}} {
		var calls, asked [2]int
		for i, still := range []bool{false, true} {
			a := &archive{fragment: 2000, period: c.period, pageSize: c.pageSize, instants: c.instants}
			a.harm = func(_ grid.Window, _ int, entries []Answer, next string) ([]Answer, string, error) {
				if still {
					stop(entries)
				}
				return entries, next, nil
			}
			if got := hundred(t, a); got != 100 {
				t.Fatalf("%d frames", got)
			}
			calls[i], asked[i] = a.calls, a.asked
		}
		if calls[0] != calls[1] || asked[0] != asked[1] {
			t.Errorf("%+v: calls %v, images %v", c, calls, asked)
		}
	}
}

// TestDoubtsEnd: samples that may have the next one's picture are put in doubt once, also where
// the service leaves out the first entry of each range, or answers nothing to a sample alone.
func TestDoubtsEnd(t *testing.T) {
	for _, aloneToo := range []bool{false, true} {
		a := &archive{fragment: 2000, period: 2000, pageSize: 25}
		a.harm = func(w grid.Window, from int, entries []Answer, next string) ([]Answer, string, error) {
			stop(entries)
			switch {
			case a.calls > 10_000:
				return nil, "", errors.New("no end")
			case aloneToo && w.N <= 2:
				return nil, "", nil
			case from == 0:
				return entries[1:], next, nil
			}
			return entries, next, nil
		}
		hundred(t, a)
	}
}

// hundred gets a hundred samples, one every 3 s, of an archive that has media all along. It
// returns how many frames there are.
func hundred(t *testing.T, a *archive) int {
	t.Helper()
	series := frame.Series{StreamName: "a", IntervalMs: 3000, PhaseMs: 700, Format: frame.JPEG}
	span := frame.Span{Series: series, First: 1 << 20, Samples: 100}
	start := series.At(span.First) - 60_000
	a.stretches = []stretch{{start, start + 1_000_000}}
	shard, err := Shard(context.Background(), a, span, []frame.Span{span})
	if err != nil {
		t.Fatal(err)
	}
	return len(shard.Frames)
}

// stop makes entries those of a scene that stands still.
func stop(entries []Answer) {
	for i := range entries {
		if entries[i].Kind == Pictured {
			entries[i].Data = []byte("still")
		}
	}
}
