package pipeline

import (
	"errors"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestOutage: a backfill that keeps going, and to which nothing came, ended for what may pass by itself. Where
// anything came it is incomplete.
func TestOutage(t *testing.T) {
	throttled := func(rate float64) Options {
		o, _ := options(t, kvstest.Fault{Kind: "throttle", Rate: rate})
		o.Read.KeepGoing, o.Read.ThrottlePatience, o.Read.ShardSamples = true, time.Second, 20
		return o
	}
	o := throttled(1)
	s, err := Backfill(t.Context(), o)
	if job := (*JobError)(nil); !errors.As(err, &job) || KindOf(err) != KindThrottled || s.Status != StatusFailed ||
		s.Gaps[frame.Failed] != 100 {
		t.Errorf("Backfill = %+v, %v, want a job that was throttled", s, err)
	}
	half, out := throttled(0), o.Out
	half.Out, half.Requests[0].EndTimestamp = out, start.Add(3*time.Minute)
	if s, err = Backfill(t.Context(), half); err != nil {
		t.Errorf("Backfill = %+v, %v, when the outage is over", s, err)
	}
	o = throttled(1)
	o.Out = out
	if s, err = Backfill(t.Context(), o); KindOf(err) != KindThrottled || s.Frames == 0 || s.Fetched.Frames > 0 {
		t.Errorf("Backfill = %+v, %v, want a job that was throttled, beside what is there", s, err)
	}
}
