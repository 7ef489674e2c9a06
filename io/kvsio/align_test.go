package kvsio

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAlign: an aligned range is on the grid of the phase, and neither end moves by an
// interval, nor up.
func TestAlign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := valid()
		interval := rapid.Int64Range(200, 1<<31-1).Draw(t, "interval")
		phase := rapid.Int64Range(0, interval-1).Draw(t, "phase")
		r.SamplingInterval = time.Duration(interval) * time.Millisecond
		r.StartTimestamp = time.Unix(0, rapid.Int64Range(0, 1<<62).Draw(t, "start"))
		r.EndTimestamp = r.StartTimestamp.Add(time.Duration(rapid.Int64Range(1, 1<<61).Draw(t, "range")))
		got := r.AlignStart(time.Duration(phase) * time.Millisecond).AlignEnd()
		for _, moved := range []struct {
			name     string
			from, to time.Time
		}{{"start", r.StartTimestamp, got.StartTimestamp}, {"end", r.EndTimestamp, got.EndTimestamp}} {
			if d := moved.from.Sub(moved.to); d < 0 || d >= r.SamplingInterval {
				t.Fatalf("the %s moves from %v to %v", moved.name, moved.from, moved.to)
			}
			if off := (moved.to.UnixMilli() - phase) % interval; off != 0 || moved.to.Nanosecond()%1e6 != 0 {
				t.Fatalf("the %s is %v, %d ms off the grid", moved.name, moved.to, off)
			}
		}
		if got.StartTimestamp.Unix() < 0 || !got.StartTimestamp.Before(got.EndTimestamp) {
			return // not valid
		}
		span := got.Span()
		if int64(span.Series.PhaseMs) != phase || span.Series.At(span.End()) != got.EndTimestamp.UnixMilli() {
			t.Fatalf("phase %d, want %d; it ends at %d, want %d", span.Series.PhaseMs, phase, span.Series.At(span.End()),
				got.EndTimestamp.UnixMilli())
		}
		if again := got.AlignStart(time.Duration(phase) * time.Millisecond).AlignEnd(); again.Span() != span {
			t.Fatalf("once more it is %v, not %v", again.Span(), span)
		}
	})
}

// TestAlignNothing: what has no grid stays.
func TestAlignNothing(t *testing.T) {
	r := valid()
	r.SamplingInterval = 0
	got := r.AlignStart(time.Second).AlignEnd()
	if got.StartTimestamp != r.StartTimestamp || got.EndTimestamp != r.EndTimestamp {
		t.Errorf("%+v", got)
	}
	if got := (Request{SamplingInterval: time.Second}).AlignStart(0); !got.StartTimestamp.IsZero() {
		t.Errorf("a start that is not set becomes %v", got.StartTimestamp)
	}
}
