package pipeline

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// archive is a stand-in with two hours of footage, one of them before start, and a dataset of it
// that is not there yet. Each range that begins at half a second begins with a fragment.
type archive struct {
	t      *testing.T
	server *kvstest.Server
	out    string
}

func newArchive(t *testing.T) archive {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name: "cam", Width: 160, Height: 90, Quota: &kvstest.Quota{}, Fragment: 500 * time.Millisecond,
		Media: []kvstest.Range{{From: start.Add(-time.Hour), To: start.Add(time.Hour)}},
	}}})
	t.Cleanup(server.Close)
	useServer(t, server)
	return archive{t, server, t.TempDir() + "/out"}
}

// secondsOf asks for every 7th second of a range, in seconds from start on.
func secondsOf(from, to float64) kvsio.Request {
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	return kvsio.Request{
		StreamName: "cam", ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: at(from), EndTimestamp: at(to),
		SamplingInterval: 7 * time.Second, Format: frame.JPEG,
	}
}

// warnings collects what Beam's log warns of.
type warnings struct {
	mu sync.Mutex
	strings.Builder
}

func (w *warnings) Log(_ context.Context, severity log.Severity, _ int, message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if severity == log.SevWarn {
		w.WriteString(message + "\n")
	}
}

// fetch runs a backfill. It returns the images that were paid for, and what was said.
func (a archive) fetch(o Options) (s Summary, images int, said string, err error) {
	a.t.Helper()
	var warned warnings
	log.SetLogger(&warned)
	defer log.SetLogger(&log.Structural{})
	o.Out = a.out
	if o.Now.IsZero() {
		o.Now = start.Add(24 * time.Hour)
	}
	before := a.server.Stats().Images
	s, err = Backfill(a.t.Context(), o)
	return s, a.server.Stats().Images - before, warned.String(), err
}

// series is how many series the dataset has.
func (a archive) series() int {
	a.t.Helper()
	ds, err := dataset.Open(a.t.Context(), a.out)
	if err != nil {
		a.t.Fatal(err)
	}
	all, err := ds.Ledger().Series(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	return len(all)
}

var both = []Relative{{Start: true, End: true}}

// TestRelativeRanges: ranges that depend on when they are asked for pay for each image once,
// whatever the moment, and leave no hole.
func TestRelativeRanges(t *testing.T) {
	ranges := func(minutes float64) []kvsio.Request {
		return []kvsio.Request{secondsOf(101.2+60*minutes, 701.2+60*minutes)}
	}
	for _, test := range []struct {
		name  string
		first Options
		phase float64 // start is of phase 0
		said  string
	}{
		{"an empty place", Options{Requests: ranges(0), Relative: both}, 0, ""},
		{
			"another phase",
			Options{Requests: []kvsio.Request{secondsOf(100.5, 702.5)}},
			2.5,
			`moved down to the grid that "OUT" has of it`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newArchive(t)
			_, total, said, err := a.fetch(test.first)
			if err != nil || total != 86 || said != "" {
				t.Fatalf("%d images, %v, %s", total, err, said)
			}
			for _, minutes := range []float64{2, 5, 5.5, 14} {
				s, images, said, err := a.fetch(Options{Requests: ranges(minutes), Relative: both})
				want := strings.ReplaceAll(test.said, "OUT", a.out)
				if err != nil || !strings.Contains(said, want) || (want == "") != (said == "") {
					t.Errorf("%v, %s; want %q", err, said, want)
				}
				if s.Samples != s.Frames || s.Samples < 85 || s.Samples > 86 {
					t.Errorf("%d samples, %d frames", s.Samples, s.Frames)
				}
				at := s.Range.From.Sub(start).Seconds() - test.phase
				if math.Mod(at, 7) != 0 {
					t.Errorf("it begins %v s after its grid", math.Mod(at, 7))
				}
				total += images
			}
			// From 98 to 1031 and from 938 to 1540 is one stretch: none twice.
			if want := (1540 - 98) / 7; a.series() != 1 || total < want-1 || total > want+1 {
				t.Errorf("%d images are paid for, want %d; %d series", total, want, a.series())
			}
		})
	}
}

// TestPhaseTrap: a range that begins beside the samples that are there is refused, with both
// ways out.
func TestPhaseTrap(t *testing.T) {
	a := newArchive(t)
	if _, _, _, err := a.fetch(Options{Requests: []kvsio.Request{secondsOf(3, 300)}}); err != nil {
		t.Fatal(err)
	}
	beside := []kvsio.Request{secondsOf(12, 302)} // the dataset has 10
	_, images, _, err := a.fetch(Options{Requests: beside})
	want := "stream cam: StartTimestamp is 2026-01-01T00:00:12Z, 2s after one of the instants, 7s apart, that " +
		`"` + a.out + `" has of this stream: all images would be paid for again: it must be one of these instants: ` +
		"Align dataset moves start and end down to them (to 2026-01-01T00:00:10Z), " +
		"Align epoch to multiples of the interval since 1970 (to " +
		"2026-01-01T00:00:07Z), and NewPhase fetches the range as it is"
	if err == nil || images != 0 || err.Error() != want {
		t.Errorf("%d images, %v\nwant %s", images, err, want)
	}
	other := beside[0]
	other.WidthPixels, other.HeightPixels = 64, 36
	for _, test := range []struct {
		name   string
		o      Options
		images int
		series int
		said   string
	}{
		{"on the grid", Options{Requests: []kvsio.Request{secondsOf(10, 300)}}, 0, 1, ""},
		{"another size", Options{Requests: []kvsio.Request{other}}, 42, 2, ""},
		{"the dataset's grid", Options{Requests: beside, Align: AlignDataset}, 0, 2, ""},
		{"meant so", Options{Requests: beside, NewPhase: true}, 42, 3, ""},
		{"meant so before", Options{Requests: beside}, 0, 3, ""},
		{"the epoch's", Options{Requests: beside, Align: AlignEpoch}, 42, 4, "has another grid of it, so that all"},
	} {
		_, images, said, err := a.fetch(test.o)
		if err != nil || images != test.images || a.series() != test.series || !strings.Contains(said, test.said) ||
			test.said == "" && said != "" {
			t.Errorf("%s: %d images, %d series, %v, %s; want %d and %d", test.name, images, a.series(), err, said, test.images,
				test.series)
		}
	}
	// Of three grids the one whose newest sample is latest.
	if _, _, _, err := a.fetch(Options{Requests: []kvsio.Request{secondsOf(12, 600)}}); err != nil {
		t.Fatal(err)
	}
	s, images, said, err := a.fetch(Options{Requests: []kvsio.Request{secondsOf(21, 310)}, Relative: both})
	if err != nil || images != 0 || !s.Range.From.Equal(start.Add(19*time.Second)) ||
		!strings.Contains(said, "moved down to the one of several grids that") {
		t.Errorf("%d images, %v, %+v, %s", images, err, s.Range, said)
	}
}

// TestPhaseTrapWithin: of two requests for what the dataset has nothing of yet, the second one is refused where
// it begins beside the samples of the first, and both are named by where they come from.
func TestPhaseTrapWithin(t *testing.T) {
	from := func(tag string, r kvsio.Request) kvsio.Request {
		r.Tag = tag
		return r
	}
	other := secondsOf(12, 300)
	other.Format = frame.PNG
	for _, test := range []struct {
		name   string
		o      Options
		want   string // of the error; empty: none
		series int
	}{
		{
			"beside",
			Options{Requests: []kvsio.Request{from("r.yaml:1", secondsOf(3, 300)), from("r.yaml:5", secondsOf(12, 302))}},
			"r.yaml:5: stream cam: StartTimestamp is 2026-01-01T00:00:12Z, 2s after one of the instants, 7s apart, that " +
				"r.yaml:1 (from 2026-01-01T00:00:03Z) asks for of this stream: all images would be paid for again: it must be " +
				"one of these instants, such as 2026-01-01T00:00:10Z: Align epoch moves start and end of all down to multiples of " +
				"the interval since 1970, and NewPhase fetches the ranges as they are", 0,
		},
		{"on one grid", Options{Requests: []kvsio.Request{secondsOf(3, 300), secondsOf(10, 400)}}, "", 1},
		{"sampled otherwise", Options{Requests: []kvsio.Request{secondsOf(3, 300), other}}, "", 2},
		{"aligned", Options{Requests: []kvsio.Request{secondsOf(3, 300), secondsOf(12, 302)}, Align: AlignEpoch}, "", 1},
		{"a relative one after it", Options{
			Requests: []kvsio.Request{secondsOf(3, 300), secondsOf(12, 302)}, Relative: []Relative{{}, {Start: true}},
		}, "", 1},
		{"a relative one before it", Options{
			Requests: []kvsio.Request{secondsOf(3, 300), secondsOf(12, 302)}, Relative: []Relative{{Start: true, End: true}, {}},
		}, "", 1},
		{"meant so", Options{Requests: []kvsio.Request{secondsOf(3, 300), secondsOf(12, 302)}, NewPhase: true}, "", 2},
	} {
		a := newArchive(t)
		_, images, _, err := a.fetch(test.o)
		switch {
		case test.want != "" && (err == nil || err.Error() != test.want || images != 0):
			t.Errorf("%s: %d images, %v\nwant %s", test.name, images, err, test.want)
		case test.want == "" && (err != nil || a.series() != test.series):
			t.Errorf("%s: %v", test.name, err)
		}
	}
	a := newArchive(t)
	if _, _, _, err := a.fetch(Options{Requests: []kvsio.Request{secondsOf(3, 300)}}); err != nil {
		t.Fatal(err)
	}
	_, _, _, err := a.fetch(Options{Requests: []kvsio.Request{from("r.yaml:9", secondsOf(12, 302))}})
	if err == nil || !strings.HasPrefix(err.Error(), "r.yaml:9: stream cam: StartTimestamp is ") {
		t.Errorf("beside the dataset: %v", err)
	}
}

// TestDailyWindows: windows at an interval that does not divide their distance make one series
// where they are aligned, and need no flag where they depend on now.
func TestDailyWindows(t *testing.T) {
	for _, align := range []string{AlignDataset, AlignEpoch} {
		a := newArchive(t)
		total := 0
		for night := range 4 {
			from := float64(600 * night)
			s, images, said, err := a.fetch(Options{Requests: []kvsio.Request{secondsOf(from, from+600)}, Align: align})
			if err != nil || s.Frames != s.Samples || said != "" {
				t.Fatalf("%+v, %v, %s", s, err, said)
			}
			total += images
		}
		if n := a.series(); n != 1 || total != 342 {
			t.Errorf("align %s: %d series and %d images, want one and 342", align, n, total)
		}
	}
	a := newArchive(t)
	a.out += "-without"
	_, _, _, err := a.fetch(Options{Requests: []kvsio.Request{secondsOf(0, 600)}})
	if _, _, _, again := a.fetch(Options{Requests: []kvsio.Request{secondsOf(600, 1200)}}); err != nil || again == nil {
		t.Errorf("without a grid: %v, %v", err, again)
	}
}

// TestNothingToAlign: a range that a grid leaves no sample of is refused, and nothing is made.
func TestNothingToAlign(t *testing.T) {
	a := newArchive(t)
	_, _, _, err := a.fetch(Options{Requests: []kvsio.Request{secondsOf(1, 6)}, Relative: both})
	want := "stream cam: EndTimestamp is 2026-01-01T00:00:06Z: it must be later: start and end are moved down to a grid " +
		"of 7s, both to 2026-01-01T00:00:00Z, and leave no sample"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err := os.Stat(filepath.Clean(a.out)); err == nil {
		t.Error("the dataset was made")
	}
}

// TestCutAtNow: what is still to come is no gap, where the range ends in the future.
func TestCutAtNow(t *testing.T) {
	a := newArchive(t)
	now := start.Add(1800*time.Second + 300*time.Millisecond)
	a.server = camera(t, [2]int{0, 1800})
	useServer(t, a.server)
	o := Options{Requests: []kvsio.Request{secondsOf(0, 3600)}, Now: now, Settle: -1}
	s, _, said, err := a.fetch(o)
	if err != nil || s.Samples != 257 || s.Frames != 257 || len(s.Gaps) != 0 ||
		!strings.Contains(said, "the range of cam ends 30m0s in the future, where it has no footage: it is cut at "+
			"2026-01-01T00:29:59Z; a later backfill fetches what comes") {
		t.Errorf("%+v, %v, %s", s, err, said)
	}
	if want := (Range{Instant{start}, Instant{start.Add(1799 * time.Second)}}); s.Range != want {
		t.Errorf("the range is %v, want %v", s.Range, want)
	}
	a = newArchive(t)
	a.server = camera(t, [2]int{0, 1800}, [2]int{3400, 3408})
	useServer(t, a.server)
	if s, _, said, err = a.fetch(o); err != nil || s.Samples != 257 || len(s.Gaps) != 0 {
		t.Errorf("with footage of a clock that has jumped: %+v, %v, %s", s, err, said)
	}
	o.Requests[0].ImageSelectorType = kvsio.ServerTimestamp
	if _, _, _, err := a.fetch(o); err == nil || !strings.Contains(err.Error(), "it must be at most now") {
		t.Errorf("by a server's clock: %v", err)
	}
}
