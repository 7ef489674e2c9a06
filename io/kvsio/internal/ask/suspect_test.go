package ask

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// copied spoils pages so that they stay as long as they are: every third of those with
// several entries has one that is a copy of the entry before it.
func copied() func(grid.Window, int, []Answer, string) ([]Answer, string, error) {
	pages := 0
	return func(_ grid.Window, _ int, entries []Answer, next string) ([]Answer, string, error) {
		if pages++; pages%3 == 1 && len(entries) > 4 {
			entries[len(entries)/2] = entries[len(entries)/2-1]
		}
		return entries, next, nil
	}
}

// TestCopiesAreNotBelieved: a copy of a neighbour's picture is not a sample's, whatever
// the camera's frame rate and whatever TimeStamps are.
func TestCopiesAreNotBelieved(t *testing.T) {
	for _, period := range []int64{33, 100, 1000, 2000, 7000, 10_000, 20_000} {
		for _, instants := range []bool{false, true} {
			if instants && period > 3000 {
				continue // a copy is as good as the picture itself, or has its neighbour's time
			}
			t.Run(fmt.Sprint(period, instants), func(t *testing.T) {
				series := frame.Series{StreamName: "a", IntervalMs: 3000, PhaseMs: 500, Format: frame.JPEG}
				span := frame.Span{Series: series, First: 1 << 20, Samples: 200}
				start := series.At(span.First) - 60_000
				a := &archive{
					stretches: []stretch{{start, start + 1_000_000}}, fragment: 2000, period: period, pageSize: 25, instants: instants,
				}
				a.harm = copied()
				shard, err := Shard(context.Background(), a, span, []frame.Span{span})
				if err != nil || len(shard.Frames) != 200 {
					t.Fatalf("%d frames, %v", len(shard.Frames), err)
				}
				for _, f := range shard.Frames {
					if want := a.truth(f.SampleMs); string(f.Data) != string(want.Data) || f.ImageMs != want.MS {
						t.Errorf("the sample at %d has the picture of %s, want %s", f.SampleMs, f.Data, want.Data)
					}
				}
			})
		}
	}
}

// TestWrongTimesAreNotBelieved: of a camera that is faster than the sampling, no time is
// taken that is not the picture's.
func TestWrongTimesAreNotBelieved(t *testing.T) {
	for _, period := range []int64{33, 100, 500} {
		for _, off := range []int64{-1200, -600, -300, 300, 1200} {
			series := frame.Series{StreamName: "a", IntervalMs: 3000, PhaseMs: 700, Format: frame.JPEG}
			span := frame.Span{Series: series, First: 1 << 20, Samples: 400}
			start, pages := series.At(span.First)-60_000, 0
			a := &archive{stretches: []stretch{{start, start + 2_000_000}}, fragment: 2000, period: period, pageSize: 25}
			a.harm = func(_ grid.Window, _ int, entries []Answer, next string) ([]Answer, string, error) {
				if pages++; pages%3 == 1 && len(entries) > 4 && entries[4].Kind == Pictured {
					entries[4].MS += off
				}
				return entries, next, nil
			}
			shard, err := Shard(context.Background(), a, span, []frame.Span{span})
			if err != nil || len(shard.Frames) != 400 {
				t.Fatalf("%d frames, %v", len(shard.Frames), err)
			}
			for _, f := range shard.Frames {
				if want := a.truth(f.SampleMs); f.ImageMs != want.MS || string(f.Data) != string(want.Data) {
					t.Errorf("period %d, off by %d: the picture of %d has the time %d", period, off, want.MS, f.ImageMs)
				}
			}
		}
	}
}

// TestUnusualCamerasCostLittle: a camera whose times are as a suspect's costs a few calls
// more and no picture, however many windows it has.
func TestUnusualCamerasCostLittle(t *testing.T) {
	series := frame.Series{StreamName: "a", IntervalMs: 3000, Format: frame.JPEG}
	span := frame.Span{Series: series, First: 1 << 20, Samples: 1000}
	start := series.At(span.First) - 60_000
	a := &archive{stretches: []stretch{{start, start + 10_000_000}}, fragment: 2000, period: 33, pageSize: 25}
	a.harm = func(w grid.Window, first int, entries []Answer, next string) ([]Answer, string, error) {
		for i := range entries { // one of five frames comes late
			if at := w.At(first + i); entries[i].Kind == Pictured && at/3000%5 == 0 {
				entries[i].MS = at - 300
			}
		}
		return entries, next, nil
	}
	shard, err := Shard(context.Background(), a, span, []frame.Span{span})
	if err != nil || len(shard.Frames) != 1000 {
		t.Fatalf("%d frames, %v", len(shard.Frames), err)
	}
	if more := a.calls - 1000/25; more > enoughConfirmed*fewSuspects {
		t.Errorf("%d calls more", more)
	}
}

// TestEmptyAnswers: answers without an entry are asked for again, more often than chance
// makes them; a service that has no entry at all has not answered.
func TestEmptyAnswers(t *testing.T) {
	series := frame.Series{StreamName: "a", IntervalMs: 3000, Format: frame.JPEG}
	for _, test := range []struct {
		samples int64
		empty   int // so many answers
		silent  bool
	}{{80, 2, false}, {80, 5, false}, {1, 5, false}, {80, 1 << 20, true}, {1, 1 << 20, true}} {
		span := frame.Span{Series: series, First: 1 << 20, Samples: test.samples}
		start := series.At(span.First) - 60_000
		a := &archive{stretches: []stretch{{start, start + 1_000_000}}, fragment: 2000, period: 100, pageSize: 25}
		a.harm = func(_ grid.Window, _ int, entries []Answer, next string) ([]Answer, string, error) {
			if a.calls <= test.empty {
				return nil, "", nil
			}
			return entries, next, nil
		}
		shard, err := Shard(context.Background(), a, span, []frame.Span{span})
		if test.silent {
			if !errors.Is(err, errSilent) || len(shard.Gaps) != int(test.samples) || shard.Gaps[0].Reason != frame.Failed ||
				a.calls > 80 {
				t.Errorf("%d samples, all answers empty: %d gaps, %v, after %d calls", test.samples, len(shard.Gaps), err, a.calls)
			}
			continue
		}
		if err != nil || len(shard.Frames) != int(test.samples) {
			t.Errorf("%d samples, %d empty answers: %d frames, %v", test.samples, test.empty, len(shard.Frames), err)
		}
	}
}

// TestUnknownWords: an error that the service is not known to answer is asked for again,
// and is a gap with its word where it stays.
func TestUnknownWords(t *testing.T) {
	series := frame.Series{StreamName: "a", IntervalMs: 3000, Format: frame.JPEG}
	span := frame.Span{Series: series, First: 1 << 20, Samples: 20}
	for _, times := range []int{1, 1 << 20} {
		start, seen := series.At(span.First)-60_000, 0
		a := &archive{stretches: []stretch{{start, start + 1_000_000}}, fragment: 2000, period: 100, pageSize: 25}
		a.harm = func(w grid.Window, first int, entries []Answer, next string) ([]Answer, string, error) {
			for i := range entries {
				if w.At(first+i) == series.At(span.First+10) && seen < times {
					seen++
					entries[i] = Answer{Kind: UnknownError, MS: w.At(first + i), Cause: "THROTTLED"}
				}
			}
			return entries, next, nil
		}
		shard, err := Shard(context.Background(), a, span, []frame.Span{span})
		if passing := times == 1; err != nil || passing != (len(shard.Gaps) == 0) {
			t.Errorf("%d times: %d gaps, %v", times, len(shard.Gaps), err)
		} else if !passing && (shard.Gaps[0].Reason != frame.MediaError || shard.Gaps[0].Cause != "THROTTLED") {
			t.Errorf("the gap is %+v", shard.Gaps[0])
		}
	}
}
