//go:build e2e

package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// The world of the story: twelve cameras and a stand-in whose clock the test moves.

const (
	storyNights   = 30
	storyInterval = 30 * time.Minute
	storySettle   = 45 * time.Minute
	storyLook     = 96 * time.Hour // of gaps that are looked at again: a day late, two nights lost, and some
)

var (
	rome = func() *time.Location {
		zone, err := time.LoadLocation("Europe/Rome")
		if err != nil {
			panic(err)
		}
		return zone
	}()
	// storyStart is the first night's, of those in one of which clocks are put back.
	storyStart = nightAt(0)
)

// nightAt is when cron begins a night's run: 02:00 in Rome.
func nightAt(night int) time.Time { return time.Date(2025, 10, 10+night, 2, 0, 0, 0, rome) }

// hoursOf are the hours in which a night's runs are.
func hoursOf(night int) []kvstest.Range {
	return []kvstest.Range{{From: nightAt(night), To: nightAt(night).Add(6 * time.Hour)}}
}

// The nights in which something happens.
const (
	firstOffline   = 4  // a camera is offline until two nights later
	addedInFile    = 7  // the engineer is a night ahead of the electrician
	addedInFact    = 8  //
	nightThrottled = 10 // nobody gets an image
	nightForbidden = 12
	nightBusy      = 13 // nobody gets one of the dock
	nightKilled    = 15
	deletedInFact  = 18
	deletedInFile  = 20
	nightNoNetwork = 22
	nightTwoRuns   = 25
)

// storyCameras are the streams for as long as the story lasts and then some.
func storyCameras() []kvstest.Stream {
	from := storyStart.AddDate(0, 0, -4).Truncate(storyInterval)
	noon := func(night int) time.Time { return nightAt(night).Add(-14 * time.Hour) } // before that night
	stream := func(name string, change func(*kvstest.Stream)) kvstest.Stream {
		s := camera(name)
		s.Media = []kvstest.Range{{From: from, To: from.AddDate(0, 0, storyNights+10)}}
		s.Delay, s.Retention = new(10*time.Second), new(5*24*time.Hour)
		change(&s)
		return s
	}
	return []kvstest.Stream{
		stream("door", func(s *kvstest.Stream) { s.Delay = new(20 * time.Minute) }), // it uploads now and then
		stream("dock", func(s *kvstest.Stream) {
			s.MediaErrors = []kvstest.Range{{From: noon(3), To: noon(3).Add(3 * time.Hour)}}
		}),
		stream("yard", func(s *kvstest.Stream) { // it is off at night
			s.Media = nil
			for night := range storyNights + 4 {
				at := nightAt(night - 3)
				s.Media = append(s.Media, kvstest.Range{From: at.Add(5 * time.Hour), To: at.Add(17 * time.Hour)})
			}
		}),
		stream("gate", func(s *kvstest.Stream) { // fragments begin where no sample is
			s.Media[0].From = s.Media[0].From.Add(-1300 * time.Millisecond)
			s.Fragment = 7 * time.Second
		}),
		stream("added", func(s *kvstest.Stream) {
			s.Created = noon(addedInFact)
			s.Media[0].From = s.Created
		}),
		stream("deleted", func(s *kvstest.Stream) { s.Deleted = noon(deletedInFact) }),
		stream("forbidden", func(s *kvstest.Stream) {
			s.Forbidden = []kvstest.Range{{From: noon(nightForbidden), To: noon(nightForbidden + 1)}}
		}),
		stream("late", func(s *kvstest.Stream) { s.Delay = new(24 * time.Hour) }),
		stream("offline", func(s *kvstest.Stream) {
			off, on := noon(firstOffline), noon(firstOffline+2)
			s.Late = []kvstest.Late{{From: off, To: on, At: on.Add(time.Minute)}}
			s.Media = []kvstest.Range{{From: from, To: off}, {From: on, To: s.Media[0].To}}
		}),
		stream("short", func(s *kvstest.Stream) { s.Retention = new(24 * time.Hour) }),
		stream("ahead", func(s *kvstest.Stream) { s.Delay = new(-time.Hour) }),
		stream("lobby", func(*kvstest.Stream) {}),
	}
}

// world is a machine with a folder of its own, and a stand-in that has the story's history.
type world struct {
	*user
	clock atomic.Pointer[time.Time]

	mu     sync.Mutex
	served map[string]map[int64]int // by stream and instant in epoch milliseconds: how often a picture was answered
	told   func()                   // of each of them; may block
}

func newWorld(t *testing.T) *world {
	w := &world{served: map[string]map[int64]int{}}
	w.clock.Store(&storyStart)
	w.user = newUser(t, kvstest.Config{
		Streams: storyCameras(), Now: func() time.Time { return *w.clock.Load() }, Served: w.count,
		Faults: []kvstest.Fault{
			{Kind: "throttle", Rate: 1, During: hoursOf(nightThrottled)},
			{Kind: "throttle", Rate: 1, Streams: []string{"dock"}, During: hoursOf(nightBusy)},
		},
	})
	return w
}

func (w *world) count(stream string, instant time.Time) {
	w.mu.Lock()
	if w.served[stream] == nil {
		w.served[stream] = map[int64]int{}
	}
	w.served[stream][instant.UnixMilli()]++
	told := w.told
	w.mu.Unlock()
	if told != nil {
		told()
	}
}

// given is a copy of what was served so far.
func (w *world) given() map[string]map[int64]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]map[int64]int{}
	for stream, of := range w.served {
		all[stream] = maps.Clone(of)
	}
	return all
}

// tell has somebody told of each picture from now on; nil: nobody.
func (w *world) tell(told func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = told
}

// process is the command with a clock of its own.
func (w *world) process(now time.Time, args ...string) *running {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	r := &running{Cmd: exec.Command(self, args...)}
	r.Dir, r.Env = w.dir, append(w.env[:len(w.env):len(w.env)], nowEnv+"="+now.Format(time.RFC3339Nano))
	r.Stdout, r.Stderr = &r.stdout, &r.stderr
	w.t.Cleanup(func() { // of a test that failed meanwhile
		if r.Process != nil && r.ProcessState == nil {
			r.Process.Kill()
			r.Wait()
		}
	})
	return r
}

// begin starts the command at a time, by all clocks.
func (w *world) begin(now time.Time, args ...string) *running {
	w.t.Helper()
	w.clock.Store(&now)
	r := w.process(now, args...)
	if err := r.Start(); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// writeCameras writes the requests file of a night.
func (w *world) writeCameras(night int) {
	var file strings.Builder
	for _, name := range camerasInFile(night) {
		switch {
		case name == "ahead" && night < storyNights: // it is always ahead of now
			fmt.Fprintf(&file, "- {stream_name: %s, end_timestamp: 2026-01-01}\n", name)
		case name == "lobby": // all there is, by days in Rome
			fmt.Fprintf(&file, "- {stream_arn: %q, start_timestamp: 2025-10-08, end_timestamp: today}\n",
				w.server.StreamARN(name))
		default:
			fmt.Fprintf(&file, "- {stream_name: %s}\n", name)
		}
	}
	w.write("cameras.yaml", file.String())
}

// camerasInFile are those that the engineer knows of in a night.
func camerasInFile(night int) (names []string) {
	for _, s := range storyCameras() {
		if s.Name == "added" && night < addedInFile || s.Name == "deleted" && night >= deletedInFile {
			continue
		}
		names = append(names, s.Name)
	}
	return names
}
