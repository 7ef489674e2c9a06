package pipeline

import (
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/transforms"
)

// lateArchive is an archive whose clock is set, in hours after start. The footage of a camera that was
// offline gets into it ten hours after start.
type lateArchive struct {
	archive
	clock atomic.Int64
}

func newLateArchive(t *testing.T, streams ...kvstest.Stream) *lateArchive {
	t.Helper()
	w := new(lateArchive)
	for i := range streams {
		streams[i].Width, streams[i].Height, streams[i].Quota = 32, 18, &kvstest.Quota{}
	}
	server := kvstest.NewServer(kvstest.Config{
		Streams: streams, Now: func() time.Time { return time.UnixMilli(w.clock.Load()) },
	})
	t.Cleanup(server.Close)
	useServer(t, server)
	w.archive = archive{t, server, newPlace(t, "folder")}
	return w
}

// offline is a camera that was offline from the second minute to the fourth, of ten.
func offline(name string) kvstest.Stream {
	return kvstest.Stream{
		Name:  name,
		Media: []kvstest.Range{{From: after(0), To: after(60)}, {From: after(240), To: after(600)}},
		Late:  []kvstest.Late{{From: after(60), To: after(240), At: hours(10)}},
	}
}

// at runs a backfill at an hour.
func (w *lateArchive) at(hour float64, look time.Duration, o Options) (s Summary, images, lists int, said string) {
	w.t.Helper()
	now := hours(hour)
	w.clock.Store(now.UnixMilli())
	o.Now, o.Read.LookAgain, o.Read.ClockSkew = now, look, time.Until(now)
	o.Read.StreamQuota = kvsio.UnknownQuota
	before := w.server.Stats().ListFragmentsCalls
	s, images, said, err := w.fetch(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return s, images, w.server.Stats().ListFragmentsCalls - before, said
}

// TestLookAgain: late footage is found, told and paid for once, and a look that finds nothing pays
// for nothing and touches no file; what comes of it is what is fetched afresh.
func TestLookAgain(t *testing.T) {
	const days = 48 * time.Hour
	first := tenMinutes()
	first[0].EndTimestamp = after(60)
	for _, c := range []struct {
		name   string
		denied bool
		steps  []transforms.Step
		before int // images of a look before the footage is there
		images int // and of one when it is
		lists  int
	}{
		{"by fragments", false, nil, 0, 60, 1},
		{"deduped", false, []transforms.Step{transforms.DedupeParams{}}, 0, 100, 1},
		{"denied", true, nil, 6, 60, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			cam := offline("cam")
			cam.ListFragmentsDenied = c.denied
			w := newLateArchive(t, cam)
			all := Options{Requests: tenMinutes(), Transforms: c.steps}
			w.at(1, 0, all)
			w.at(1, 0, all)
			before := stamps(t, w.out)
			for _, o := range []Options{all, {Requests: first}} {
				s, images, lists, said := w.at(9, days, o)
				if images != c.before || lists != c.lists || len(s.Late) != 0 || s.Late == nil ||
					!maps.Equal(stamps(t, w.out), before) || strings.Contains(said, "gaps of cam are looked at again by GetImages: ") != c.denied {
					t.Errorf("a look too early: %d images, %d lists, %+v, %s", images, lists, s, said)
				}
			}
			if _, images, lists, _ := w.at(12, 8*time.Hour, all); images != 0 || lists != 0 {
				t.Errorf("a look at what is too old: %d images, %d lists", images, lists)
			}
			// It is found whatever the range of the night.
			s, images, lists, _ := w.at(11, days, Options{Requests: first})
			want := []Late{{"cam", Instant{after(60)}, Instant{after(240)}, 60}}
			if c.steps != nil {
				want = s.Late // frames are dropped
			}
			if images != c.images || lists != c.lists || fmt.Sprint(utc(s.Late)) != fmt.Sprint(utc(want)) || len(s.Late) == 0 ||
				s.Samples != 20 || c.steps == nil && s.Fetched.Frames != 60 {
				t.Errorf("late: %d images, %d lists, %+v", images, lists, s)
			}
			s, images, lists, said := w.at(12, days, all)
			if images != 0 || lists != 0 || len(s.Late) != 0 || s.Gaps[frame.NoMedia] != 0 || said != "" {
				t.Errorf("after it: %d images, %d lists, %s, %+v", images, lists, said, s)
			}
			had := w.out
			w.out = newPlace(t, "folder")
			w.at(12, 0, Options{Requests: tenMinutes(), Transforms: c.steps})
			equalPlaces(t, had, w.out)
		})
	}
}

func utc(late []Late) (all []Late) {
	for _, l := range late {
		l.From, l.To = Instant{l.From.UTC()}, Instant{l.To.UTC()}
		all = append(all, l)
	}
	return all
}

// TestLookAgainCosts: a call a stretch of gaps, however much footage lies around, and samples
// without footage are not asked for.
func TestLookAgainCosts(t *testing.T) {
	cam := kvstest.Stream{Name: "cam", Fragment: 2 * time.Second}
	for hour := range 4 { // an outage of ten minutes each hour, of which a minute comes late
		from := 3600 * float64(hour)
		cam.Media = append(cam.Media, kvstest.Range{From: after(from + 600), To: after(from + 3600)})
		cam.Late = append(cam.Late, kvstest.Late{From: after(from + 300), To: after(from + 360), At: hours(10)})
	}
	w := newLateArchive(t, cam)
	o := Options{Requests: []kvsio.Request{secondsOf(0, 4*3600)}}
	w.at(5, 0, o)
	if s, images, lists, _ := w.at(6, 48*time.Hour, o); images != 0 || lists != 4 || len(s.Late) != 0 {
		t.Errorf("%d images, %d lists, %+v", images, lists, s.Late)
	}
	s, images, lists, _ := w.at(11, 48*time.Hour, o)
	if lists != 4 || images > 4*(60/7+6) || len(s.Late) != 4 || s.Fetched.Frames < 4*8 {
		t.Errorf("%d images, %d lists, %+v, %+v", images, lists, s.Late, s.Fetched)
	}
	if s, images, _, _ := w.at(12, 48*time.Hour, o); images != 0 || len(s.Late) != 0 {
		t.Errorf("what was found is found again: %d images, %+v", images, s.Late)
	}
}

// TestLookAgainAtGapsOnly: outside of what is asked for only NO_MEDIA gaps are looked at.
func TestLookAgainAtGapsOnly(t *testing.T) {
	o, broken := options(t, kvstest.Fault{Kind: "endpoint_expired", Rate: 1})
	o.Read.KeepGoing = true
	if _, err := Backfill(t.Context(), o); err == nil || broken.Stats().Images > 0 {
		t.Fatalf("%v, %d images", err, broken.Stats().Images)
	}
	w := newLateArchive(t, kvstest.Stream{Name: "cam", Media: []kvstest.Range{{From: start, To: after(900)}}})
	w.out = o.Out
	o.Requests[0].StartTimestamp, o.Requests[0].EndTimestamp = after(300), after(600)
	if s, images, _, _ := w.at(1, 48*time.Hour, o); images != 100 || s.Fetched.Samples != 100 {
		t.Errorf("%d images, %+v", images, s)
	}
}

// TestLookAgainAtNothing: a stream that is gone, and of which the dataset has all, has no late
// footage, and stops nothing.
func TestLookAgainAtNothing(t *testing.T) {
	w := newLateArchive(t, offline("cam"))
	w.at(1, 0, Options{Requests: tenMinutes()})
	out := w.out
	w = newLateArchive(t, offline("other"))
	w.out = out
	s, images, lists, _ := w.at(11, 48*time.Hour, Options{Requests: tenMinutes()})
	if images != 0 || lists != 0 || !s.Complete || len(s.Late) != 0 {
		t.Errorf("%d images, %d lists, %+v", images, lists, s)
	}
}
