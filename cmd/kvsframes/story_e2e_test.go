//go:build e2e

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestThirtyNights is a month of a data engineer's: cron runs the same backfill every night, while footage is
// recorded, arrives late and ages out, cameras come and go, and nights go wrong. Whoever looks at the end finds
// each picture that could be had, paid for once; and another machine that lives through the same has the same
// bytes.
func TestThirtyNights(t *testing.T) {
	t.Parallel()
	var trees [2]map[string]string
	t.Run("machines", func(t *testing.T) {
		for i := range trees {
			t.Run(fmt.Sprint(i+1), func(t *testing.T) {
				t.Parallel()
				s := newStory(t)
				for night := 0; night < storyNights && !t.Failed(); night++ {
					s.live(night)
				}
				if t.Failed() {
					return
				}
				s.last()
				s.settleAccounts()
				trees[i] = tree(t, filepath.Join(s.dir, "frames"))
			})
		}
	})
	sameTree(t, trees[1], trees[0])
}

// story is a world and what must have come of it.
type story struct {
	*world
	books  *books
	torn   map[string]map[int64]bool // what a run that was killed was given
	random *rand.Rand                // the noise of when runs begin
}

func newStory(t *testing.T) *story {
	w := newWorld(t)
	return &story{world: w, books: newBooks(w.server), random: rand.New(rand.NewPCG(21, 21))}
}

// command is what cron runs in a night: the relative form in one night, what date says in the next.
func (s *story) command(now time.Time, night int, more ...string) []string {
	args := []string{
		"backfill", "--requests", "cameras.yaml", "--sampling-interval", "30m", "--time-zone", "Europe/Rome",
		"--width-pixels", "160", "--height-pixels", "90", "--out", "frames",
		"--settle", "45m", "--look-again", "96h", "--wait", "2h", "--keep-going", "--json", "--metrics-file", "night.prom",
		"--stream-quota", "100000", // half an hour apart, each picture is a call of its own, for 400 points
	}
	if relative(night) {
		args = append(args, "--start-timestamp", "-3d", "--end-timestamp", "now")
	} else {
		from, to := storyRange(now, night)
		args = append(args, "--start-timestamp", from.Format(time.RFC3339),
			"--end-timestamp", to.Format(time.RFC3339), "--align", "dataset")
	}
	return append(args, more...)
}

// relative reports whether a night's range is written as times before now.
func relative(night int) bool { return night%2 == 0 }

// storyRange is the range of a night's run, before it is moved to a grid: days of 24 hours before now, or
// days of the calendar before what date said when the shell asked it.
func storyRange(now time.Time, night int) (from, to time.Time) {
	if relative(night) {
		return now.Add(-3 * 24 * time.Hour), now
	}
	date := now.In(rome).Add(-time.Duration(night*7919%90) * time.Second).Truncate(time.Second)
	return date.AddDate(0, 0, -3), date
}

// live lives through one night.
func (s *story) live(night int) {
	s.t.Helper()
	s.writeCameras(night)
	now := nightAt(night).Add(time.Duration(s.random.Int64N(int64(25 * time.Minute)))).Truncate(time.Millisecond)
	args := s.command(now, night)
	switch night {
	case deletedInFile:
		s.forget(now)
		s.check(night, now, finish(s.t, s.begin(now, args...)))
	case nightBusy:
		s.check(night, now, finish(s.t, s.begin(now, append(args, "--throttle-patience", "1s")...)))
	case nightThrottled: // of the one whose end is in the future footage is looked for first
		s.fails(night, "throttled", finish(s.t, s.begin(now, append(args, "--throttle-patience", "1s")...)))
		s.books.see(night, now)
	case nightNoNetwork:
		there := s.user
		s.user = there.with("AWS_ENDPOINT_URL_KINESIS_VIDEO=http://127.0.0.1:1")
		s.fails(night, "unreachable", finish(s.t, s.begin(now, args...)))
		s.user = there
		s.books.see(night, now)
	case nightKilled:
		s.kill(now, args...)
		now = now.Add(10 * time.Minute)
		s.check(night, now, finish(s.t, s.begin(now, s.command(now, night)...)))
	case nightTwoRuns:
		s.twoRuns(night, now)
	default:
		s.check(night, now, finish(s.t, s.begin(now, args...)))
	}
}

// fails holds a run that got nothing against what it must say.
func (s *story) fails(night int, kind string, o outcomeOf) {
	s.t.Helper()
	got := object(s.t, o.stdout)
	problem, _ := got["error"].(map[string]any)
	where := fmt.Sprintf("night %d", night)
	s.wants(where, got, map[string]any{"schema": `"kvsframes.backfill/1"`, "status": `"failed"`})
	s.wants(where, problem, map[string]any{"kind": jsonOf(kind)})
	if o.status != 1 {
		s.t.Errorf("%s: exit status %d:\n%s", where, o.status, o.stderr)
	}
}

// hold begins a run, and lets it go on to so many pictures: then its calls wait until release is called.
func (s *story) hold(pictures int64, now time.Time, args ...string) (r *running, release func()) {
	s.t.Helper()
	gate := make(chan struct{})
	release = sync.OnceFunc(func() {
		s.tell(nil)
		close(gate)
	})
	s.t.Cleanup(release) // else the stand-in would not end
	var given atomic.Int64
	s.tell(func() {
		if given.Add(1) >= pictures {
			<-gate
		}
	})
	r = s.begin(now, args...)
	until(s.t, "the run has some pictures", func() bool { return given.Load() >= pictures })
	return r, release
}

// kill lets a run get some pictures, and kills it.
func (s *story) kill(now time.Time, args ...string) {
	s.t.Helper()
	before := s.given()
	r, release := s.hold(200, now, args...)
	if err := r.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	r.Wait()
	release()
	until(s.t, "the calls of the killed run have ended", func() bool {
		s.server.ResetStats() // which leaves those under way
		return s.server.Stats().MaxConcurrent == 0
	})
	s.torn = map[string]map[int64]bool{}
	for name, all := range s.given() {
		s.torn[name] = map[int64]bool{}
		for at, times := range all {
			s.torn[name][at] = times > before[name][at]
		}
	}
}

// twoRuns has cron begin another run while the night's first is still under way: it waits.
func (s *story) twoRuns(night int, now time.Time) {
	s.t.Helper()
	first, release := s.hold(1, now, s.command(now, night)...)
	later := now.Add(3 * time.Minute)
	second := s.process(later, s.command(later, night)...)
	said, err := os.Create(filepath.Join(s.t.TempDir(), "stderr"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer said.Close()
	second.Stderr = said
	if err := second.Start(); err != nil {
		s.t.Fatal(err)
	}
	until(s.t, "the second run waits", func() bool {
		text, _ := os.ReadFile(said.Name())
		return strings.Contains(string(text), "waiting up to 2h0m0s for its end")
	})
	release()
	s.check(night, now, finish(s.t, first))
	s.clock.Store(&later)
	s.check(night, later, finish(s.t, second))
}

// last is the run after the last night: nothing of what it asks for is still to come.
func (s *story) last() {
	now := nightAt(storyNights).Add(10*time.Hour + 17*time.Minute)
	s.writeCameras(storyNights)
	o := finish(s.t, s.begin(now, s.command(now, storyNights, "--end-timestamp", "-1h")...))
	s.check(storyNights, now, o)
	s.wants("the last run", object(s.t, o.stdout), map[string]any{"status": `"complete"`, "pending": 0})
	o = finish(s.t, s.begin(now, "verify", "frames", "--json"))
	s.wants("verify", object(s.t, o.stdout), map[string]any{"complete": true})
}

// forget takes what was asked for of the deleted camera, and is gone with it, out of the dataset.
func (s *story) forget(now time.Time) {
	s.t.Helper()
	books := s.books.outcome["deleted"]
	from := now
	for at, became := range books {
		if t := time.UnixMilli(at); became == outcomeMissing {
			delete(books, at)
			if t.Before(from) {
				from = t
			}
		}
	}
	o := finish(s.t, s.begin(now, "remove", "frames", "--stream-name", "deleted", "--start-timestamp",
		from.Format(time.RFC3339), "--yes"))
	if o.status != 0 {
		s.t.Errorf("remove: exit status %d:\n%s%s", o.status, o.stdout, o.stderr)
	}
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
