package kvstest

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
)

// TestAsTimeGoesOn: footage arrives and ages out, streams come, go and are forbidden, as the clock of the
// configuration says; and Has says the same as the answers.
func TestAsTimeGoesOn(t *testing.T) {
	at := func(minutes float64) time.Time { return newYear.Add(time.Duration(minutes * float64(time.Minute))) }
	during := func(from, to float64) []Range { return []Range{{From: at(from), To: at(to)}} }
	arriving := func(name string, after time.Duration) Stream {
		s := camera(name)
		s.Delay, s.Fragment = new(after), 20*time.Second
		return s
	}
	offline, kept, living := arriving("offline", 0), arriving("kept", 0), camera("living")
	offline.Media[0].From = at(1)
	offline.Late = []Late{{at(0), at(1), at(30)}}
	kept.Retention, kept.MediaErrors = new(time.Hour), during(10, 11)
	living.Created, living.Deleted, living.Forbidden = at(10), at(30), during(15, 20)
	var now atomic.Pointer[time.Time]
	f := start(t, Config{
		Streams: []Stream{
			camera("always"), arriving("soon", 5*time.Second), arriving("ahead", -10*time.Minute), offline, kept, living,
		},
		Now: func() time.Time { return *now.Load() },
	})
	for _, c := range []struct {
		stream  string
		now     float64
		instant float64 // minutes
		want    string
	}{
		{"always", -60, 59, "+"},
		{"soon", 1.08, 0.99, "no_media"}, // 4.8 s after the fragment's end
		{"soon", 1.09, 0.99, "+"},        // 5.4 s
		{"soon", 1.09, 1, "no_media"},
		{"ahead", 1, 10.9, "+"},
		{"ahead", 1, 11, "no_media"},
		{"offline", 29.9, 0.5, "no_media"},
		{"offline", 30, 0.5, "+"},
		{"offline", 29.9, 1.5, "+"},
		{"kept", 65, 5, "+"},
		{"kept", 65.1, 5, "no_media"},
		{"kept", 30, 10.5, "media_error"},
		{"living", 9, 1, "ResourceNotFoundException"},
		{"living", 10, 1, "+"},
		{"living", 15, 1, "AccessDeniedException"},
		{"living", 20, 1, "+"},
		{"living", 30, 1, "ResourceNotFoundException"},
	} {
		now.Store(new(at(c.now)))
		instant := at(c.instant)
		got := ""
		_, err := f.control.DescribeStream(t.Context(), &kinesisvideo.DescribeStreamInput{StreamName: &c.stream})
		if err != nil {
			got = codeOf(err)
		} else {
			delete(f.known, c.stream)                                   // its token is of another time
			fragment := instant.Sub(newYear).Truncate(20 * time.Second) // a range that starts inside it loses it
			_, got, _ = strings.Cut(sketch(f.mustImages(c.stream, window(fragment, fragment, time.Second)).Images), ":")
		}
		if got != c.want {
			t.Errorf("%s, minute %v, at minute %v: got %q, want %q", c.stream, c.instant, c.now, got, c.want)
		}
		if has := f.srv.Has(c.stream, instant); has != (c.want == "+") && c.want != "AccessDeniedException" {
			t.Errorf("%s, minute %v, at minute %v: Has says %v", c.stream, c.instant, c.now, has)
		}
	}
	now.Store(new(at(5)))
	list, err := f.control.ListStreams(t.Context(), &kinesisvideo.ListStreamsInput{})
	if err != nil || len(list.StreamInfoList) != 5 {
		t.Errorf("before living was created: %v, %v", list, err)
	}
	if f.srv.Has("nobody", at(0)) {
		t.Error("nobody has footage")
	}
}

// TestForbiddenOnTheDataPlane: what forbids a stream forbids data endpoints that were given before.
func TestForbiddenOnTheDataPlane(t *testing.T) {
	cam := camera("cam")
	cam.Forbidden = []Range{{From: newYear.Add(time.Minute), To: newYear.Add(2 * time.Minute)}}
	var now atomic.Pointer[time.Time]
	now.Store(&newYear)
	f := start(t, Config{Streams: []Stream{cam}, Now: func() time.Time { return *now.Load() }})
	f.mustImages("cam")
	now.Store(&cam.Forbidden[0].From)
	if _, err := f.images("cam"); codeOf(err) != "AccessDeniedException" {
		t.Errorf("while it is forbidden: %v", err)
	}
	now.Store(&cam.Forbidden[0].To)
	f.mustImages("cam")
}

func TestFaultsForATime(t *testing.T) {
	var now atomic.Pointer[time.Time]
	minute := func(n int) time.Time { return newYear.Add(time.Duration(n) * time.Minute) }
	f := start(t, Config{
		Streams: []Stream{camera("cam")}, Now: func() time.Time { return *now.Load() },
		Faults: []Fault{{Kind: "throttle", Rate: 1, During: []Range{{From: minute(1), To: minute(2)}}}},
	})
	for i, want := range []string{"", "ClientLimitExceededException", ""} {
		now.Store(new(minute(i)))
		if _, err := f.images("cam"); codeOf(err) != want {
			t.Errorf("in minute %d: got %v, want %q", i, err, want)
		}
	}
}

// TestServed: whoever wants to know is told which pictures were answered, by the instants asked for.
func TestServed(t *testing.T) {
	var mu sync.Mutex
	var got []string
	cam := camera("cam")
	cam.FrameRate = 0.5 // pictures are of earlier frames
	f := start(t, Config{
		Streams: []Stream{cam}, PageSize: 2,
		Served: func(stream string, instant time.Time) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, stream+instant.Format(" 05"))
		},
	})
	first := f.mustImages("cam", window(0, 9*time.Second, 3*time.Second))
	f.mustImages("cam", window(0, 9*time.Second, 3*time.Second), after(first.NextToken))
	f.mustImages("cam", window(2*time.Hour, 2*time.Hour+time.Second, time.Second)) // NO_MEDIA
	if want := []string{"cam 00", "cam 03", "cam 06", "cam 09"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
