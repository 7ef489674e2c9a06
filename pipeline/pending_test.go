package pipeline

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// after is an instant some seconds after start.
func after(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

// TestSettle: samples that are too young are left for the next run, which fetches them and no
// others; they are not recorded, and do not spoil what is complete.
func TestSettle(t *testing.T) {
	a := newArchive(t)
	request := secondsOf(0, 1800)
	for i, step := range []struct {
		now     float64
		settle  time.Duration
		samples int64
		pending int64
		fetched int64
	}{
		{1800, 0, 241, 17, 241}, // the sample at 1680 s is as old as it must be
		{1800, 0, 241, 17, 0},
		{1800, time.Minute, 249, 9, 8},
		{1918.9, 0, 257, 1, 8}, // that at 1799 s is not
		{1800, -1, 258, 0, 1},
		{3600, 0, 258, 0, 0},
	} {
		s, _, said, err := a.fetch(Options{Requests: []kvsio.Request{request}, Now: after(step.now), Settle: step.settle})
		if err != nil || said != "" || !s.Complete || s.Status != StatusComplete || s.Missing != 0 {
			t.Errorf("step %d: %v, %s, %+v", i+1, err, said, s)
		}
		if s.Samples != step.samples || s.Pending != step.pending || s.Fetched.Samples != step.fetched ||
			s.Frames != step.samples {
			t.Errorf("step %d: %d samples, %d pending, %d fetched; want %+v", i+1, s.Samples, s.Pending, s.Fetched.Samples, step)
		}
		if of := s.Streams[0]; of.Pending != step.pending || !of.Complete || of.Status != StatusComplete ||
			!of.Range.To.Equal(after(1800)) {
			t.Errorf("step %d: of the stream: %+v", i+1, of)
		}
		ds, err := dataset.Open(t.Context(), a.out)
		if err != nil {
			t.Fatal(err)
		}
		if report, err := ds.Verify(t.Context(), dataset.VerifyOptions{}); err != nil || !report.Complete ||
			report.Samples != max(step.samples, 241) && i < 4 {
			t.Errorf("step %d: %+v, %v", i+1, report, err)
		}
	}
}

// TestOverlapsArePendingOnce: a pending sample counts once, whatever the number of requests.
func TestOverlapsArePendingOnce(t *testing.T) {
	a := newArchive(t)
	s, _, _, err := a.fetch(Options{
		Requests: []kvsio.Request{secondsOf(0, 1800), secondsOf(1400, 1799), secondsOf(1750, 1807)}, Now: after(1810),
	})
	if err != nil || s.Requests != 3 || s.Pending != 17 || s.Samples != 242 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestNothingButPending: a run that has nothing else to ask for does nothing.
func TestNothingButPending(t *testing.T) {
	a := newArchive(t)
	o := Options{Requests: []kvsio.Request{secondsOf(1700, 1800)}, Now: after(1800)}
	s, images, said, err := a.fetch(o)
	if err != nil || images != 0 || said != "" || s.Samples != 0 || s.Pending != 15 || !s.Complete ||
		s.Status != StatusComplete || len(s.Streams) != 1 || s.Streams[0].Pending != 15 {
		t.Errorf("%d images, %v, %s, %+v", images, err, said, s)
	}
	if _, err := os.Stat(a.out); err == nil {
		t.Error("it made the dataset")
	}
	// A stream that is gone does not matter then, nor what of it is pending.
	o.Requests[0].StreamName = "nope"
	if s, _, _, err := a.fetch(o); err != nil || s.Pending != 15 {
		t.Errorf("%v, %+v", err, s)
	}
	o.Requests[0].StartTimestamp = after(0)
	o.Read.KeepGoing = true
	s, _, _, err = a.fetch(o)
	if incomplete := (*IncompleteError)(nil); !errors.As(err, &incomplete) || s.Missing != 241 || s.Pending != 17 {
		t.Errorf("%v, %+v", err, s)
	}
}

// TestPendingAtNow: where a range is cut at now, the last samples before that are pending, too; where the
// producer's clock is ahead, those after its newest footage.
func TestPendingAtNow(t *testing.T) {
	a := newArchive(t)
	now := after(1800.3)
	a.server = camera(t, [2]int{0, 1690})
	useServer(t, a.server)
	s, _, said, err := a.fetch(Options{Requests: []kvsio.Request{secondsOf(0, 3600)}, Now: now})
	if err != nil || s.Samples != 241 || s.Frames != 241 || s.Pending != 16 || !strings.Contains(said, "it is cut at") {
		t.Errorf("%+v, %v, %s", s, err, said)
	}
	a = newArchive(t)
	a.server = camera(t, [2]int{0, 2501})
	useServer(t, a.server)
	s, _, said, err = a.fetch(Options{Requests: []kvsio.Request{secondsOf(0, 2520)}, Now: now})
	if err != nil || s.Samples+s.Pending != 360 || s.Samples < 357 || s.Frames != s.Samples ||
		!strings.Contains(said, "the producer's clock is ahead; its newest is of 2026-01-01T00:41:3") {
		t.Errorf("%+v, %v, %s", s, err, said)
	}
}

// TestPendingIsNotAsked: no call asks for a sample that is pending.
func TestPendingIsNotAsked(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name: "cam", Width: 160, Height: 90, Quota: &kvstest.Quota{},
	}}})
	t.Cleanup(server.Close)
	useServer(t, server)
	a := archive{t, server, t.TempDir() + "/out"}
	s, _, _, err := a.fetch(Options{Requests: []kvsio.Request{secondsOf(0, 1800)}, Now: after(1800)})
	if err != nil || s.Gaps[frame.NoMedia] != 241 || s.Streams[0].LongestGap.Samples != 241 {
		t.Errorf("%+v, %v", s, err)
	}
}
