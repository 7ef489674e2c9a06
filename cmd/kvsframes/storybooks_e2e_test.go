//go:build e2e

package main

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// The books of the story: what must have become of each sample, as far as the stand-in knows.

// books hold the outcome of each sample that was asked for: FRAME, the reason of a gap, or MISSING.
type books struct {
	server  *kvstest.Server
	streams map[string]kvstest.Stream
	outcome map[string]map[int64]string // by stream and instant
	seen    map[string]map[int64]bool   // what the archive had at some run's time; true: of a run that could read it
}

const (
	outcomeFrame   = "FRAME"
	outcomeMissing = "MISSING"
	outcomeFailed  = "FAILED"
	outcomeNoMedia = "NO_MEDIA"
)

func newBooks(server *kvstest.Server) *books {
	b := &books{
		server: server, streams: map[string]kvstest.Stream{}, outcome: map[string]map[int64]string{},
		seen: map[string]map[int64]bool{},
	}
	for _, s := range storyCameras() {
		b.streams[s.Name], b.outcome[s.Name], b.seen[s.Name] = s, map[int64]string{}, map[int64]bool{}
	}
	return b
}

// see notes what the archive has, of what a run asks for, and whether the run can read it.
func (b *books) see(night int, now time.Time) {
	for _, name := range camerasInFile(night) {
		throttled := night == nightThrottled || night == nightBusy && name == "dock"
		readable := !throttled && night != nightNoNetwork && b.forbids(name, now) == ""
		from, to := span(name, night, now)
		for at := from; at.Before(to) && !at.After(now.Add(-storySettle)); at = at.Add(storyInterval) {
			if ms := at.UnixMilli(); b.server.Has(name, at) {
				b.seen[name][ms] = b.seen[name][ms] || readable
			}
		}
	}
}

// tally is what a summary must say of a stream.
type tally struct {
	samples, frames, missing, pending, lost, late int

	gaps map[string]int
	kind string // of the error, if it cannot be read
}

// enter enters a run that came to its end, and returns what it must say of each camera that it asked for.
func (b *books) enter(night int, now time.Time) map[string]tally {
	all := map[string]tally{}
	for _, name := range camerasInFile(night) {
		t := tally{gaps: map[string]int{}, kind: b.forbids(name, now)}
		if t.kind == "" {
			t.late = b.lookAgain(name, now)
		}
		from, to := span(name, night, now)
		for at := from; at.Before(to); at = at.Add(storyInterval) {
			if at.After(now.Add(-storySettle)) {
				t.pending++
				continue
			}
			became, known := b.outcome[name][at.UnixMilli()]
			none := !known || became == outcomeMissing
			asked := t.kind == "" && (none || became == outcomeFailed)
			if asked && b.lost(name, at, now) {
				t.lost++
			}
			switch {
			case asked && (night != nightBusy || name != "dock"):
				became = b.look(name, at, now)
			case asked && none:
				became = outcomeFailed
			case none:
				became = outcomeMissing
			}
			b.outcome[name][at.UnixMilli()] = became
			switch t.samples++; became {
			case outcomeFrame:
				t.frames++
			case outcomeMissing:
				t.missing++
			default:
				t.gaps[became]++
			}
		}
		if t.missing == 0 {
			t.kind = ""
		}
		all[name] = t
	}
	return all
}

// span is what a run asks for of a camera: it starts and ends on the grid.
func span(name string, night int, now time.Time) (from, to time.Time) {
	if name == "lobby" {
		year, month, day := now.In(rome).Date()
		return time.Date(2025, 10, 8, 0, 0, 0, 0, rome), time.Date(year, month, day, 0, 0, 0, 0, rome)
	}
	from, to = storyRange(now, night)
	switch {
	case night == storyNights:
		to = now.Add(-time.Hour)
	case name == "ahead" && relative(night): // cut at now, which is beside the grid
		to = now.Add(storyInterval)
	case name == "ahead":
		to = from.Add(now.Sub(from).Truncate(storyInterval))
	}
	return from.Truncate(storyInterval), to.Truncate(storyInterval)
}

// forbids returns the kind of error of a camera that cannot be read, empty for one that can.
func (b *books) forbids(name string, now time.Time) string {
	s := b.streams[name]
	switch {
	case now.Before(s.Created), !s.Deleted.IsZero() && !now.Before(s.Deleted):
		return "stream_gone"
	case len(s.Forbidden) > 0 && !now.Before(s.Forbidden[0].From) && now.Before(s.Forbidden[0].To):
		return "permission"
	}
	return ""
}

// lookAgain enters what was found of a camera's gaps, whatever the range of the run, and counts it.
func (b *books) lookAgain(name string, now time.Time) (late int) {
	for ms, became := range b.outcome[name] {
		at := time.UnixMilli(ms)
		if became == outcomeNoMedia && !at.Before(now.Add(-storyLook)) && b.server.Has(name, at) {
			b.outcome[name][ms] = outcomeFrame
			late++
		}
	}
	return late
}

// lost reports whether footage of an instant is older than what the stream keeps.
func (b *books) lost(name string, at, now time.Time) bool {
	return at.Before(now.Add(-*b.streams[name].Retention))
}

// look says what the archive has of an instant, now.
func (b *books) look(name string, at, now time.Time) string {
	if b.server.Has(name, at) {
		return outcomeFrame
	}
	if b.lost(name, at, now) {
		return "OUT_OF_RETENTION"
	}
	for _, broken := range b.streams[name].MediaErrors {
		if !at.Before(broken.From) && at.Before(broken.To) {
			return "MEDIA_ERROR"
		}
	}
	return outcomeNoMedia
}

// check holds what a run of a night said against the books.
func (s *story) check(night int, now time.Time, o outcomeOf) {
	s.t.Helper()
	s.books.see(night, now)
	want := s.books.enter(night, now)
	got := object(s.t, o.stdout)
	var total tally
	status, exit, kind := `"complete"`, 0, ""
	streams := map[string]map[string]any{}
	for _, of := range got["streams"].([]any) {
		streams[of.(map[string]any)["stream"].(string)] = of.(map[string]any)
	}
	late := map[string]int{}
	for _, of := range got["late"].([]any) {
		found := of.(map[string]any)
		late[found["stream"].(string)] += int(found["frames"].(float64))
	}
	for name, t := range want {
		what := map[string]any{
			"samples": t.samples, "frames": t.frames, "missing": t.missing, "gaps": jsonOf(t.gaps),
			"pending": t.pending, "status": `"complete"`, "complete": true,
		}
		if t.missing > 0 || t.gaps[outcomeFailed] > 0 {
			status, exit, kind = `"incomplete"`, 3, t.kind
			what["status"], what["complete"] = `"incomplete"`, false
		}
		total.samples += t.samples
		total.frames += t.frames
		total.missing += t.missing
		total.pending += t.pending
		total.lost += t.lost
		s.wants(fmt.Sprintf("night %d, %s", night, name), streams[name], what)
		if late[name] != t.late {
			s.t.Errorf("night %d, %s: %d frames were late, want %d", night, name, late[name], t.late)
		}
	}
	s.wants(fmt.Sprintf("night %d", night), got, map[string]any{
		"schema": `"kvsframes.backfill/1"`, "status": status, "requests": len(want), "complete": exit == 0,
		"samples": total.samples, "frames": total.frames, "missing": total.missing,
		"pending": total.pending, "lost": total.lost,
	})
	problem, _ := got["error"].(map[string]any)
	if found, _ := problem["kind"].(string); found != kind || o.status != exit {
		s.t.Errorf("night %d: exit status %d and kind %q, want %d and %q; stderr:\n%s", night, o.status, found, exit, kind,
			o.stderr)
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "night.prom"))
	metrics := parseMetrics(s.t, string(text))
	if now := metrics[`kvsframes_backfill_status{dataset="frames",status=`+status+`}`]; err != nil || now != 1 {
		s.t.Errorf("night %d: the metric of status %s is %v, %v", night, status, now, err)
	}
}

// wants compares fields of a JSON object, and says where.
func (s *story) wants(where string, got, want map[string]any) {
	s.t.Helper()
	for name, value := range want {
		if text := jsonOf(got[name]); text != fmt.Sprint(value) {
			s.t.Errorf("%s: %s is %s, want %v", where, name, text, value)
		}
	}
}

// settleAccounts holds the dataset against the books, and against what the stand-in had and gave: each
// picture that could be had is there, is what it should be, and was paid for once.
func (s *story) settleAccounts() {
	s.t.Helper()
	found := map[string]map[int64]string{}
	for name := range s.books.streams {
		found[name] = map[int64]string{}
	}
	for sample := range s.samples() {
		found[sample.Stream][sample.SampleMs] = sample.Outcome
	}
	for name, all := range s.books.outcome {
		for at, want := range all {
			if got, ok := found[name][at]; got != want && (ok || want != outcomeMissing) {
				s.t.Errorf("%s at %v is %q, want %q", name, time.UnixMilli(at).UTC(), got, want)
			}
		}
		if len(found[name]) > len(all) {
			s.t.Errorf("%s has %d samples, want %d", name, len(found[name]), len(all))
		}
	}
	for name, all := range s.books.seen {
		lossy := name == "short" || name == "deleted" // gone before the next run that could read it
		for at, readable := range all {
			if (readable || !lossy) && found[name][at] != outcomeFrame {
				s.t.Errorf("%s at %v is %q, and the archive had it", name, time.UnixMilli(at).UTC(), found[name][at])
			}
		}
	}
	s.paidOnce()
}

// paidOnce holds what the stand-in gave against the frames: once each, but for what a kill tore.
func (s *story) paidOnce() {
	s.t.Helper()
	for name, all := range s.books.outcome {
		for at, became := range all {
			times := s.served[name][at]
			if paid := became == outcomeFrame; paid != (times > 0) || times > 1 && !s.torn[name][at] {
				s.t.Errorf("%s at %v is %s, and was paid for %d times", name, time.UnixMilli(at).UTC(), became, times)
			}
		}
		for at, times := range s.served[name] { // a range that starts inside a fragment begins again before it
			if _, asked := all[at]; !asked && times > 1 && !s.torn[name][at] {
				s.t.Errorf("%s at %v, which nobody asked for, was paid for %d times", name, time.UnixMilli(at).UTC(), times)
			}
		}
	}
}

// samples yields all samples of the dataset. Each picture of a frame shows its stream and instant.
func (s *story) samples() func(yield func(dataset.Sample) bool) {
	s.t.Helper()
	out := filepath.Join(s.dir, "frames")
	ds, err := dataset.Open(s.t.Context(), out)
	if err != nil {
		s.t.Fatal(err)
	}
	spans, err := ds.Recorded(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	files := map[string][]byte{}
	return func(yield func(dataset.Sample) bool) {
		for group, err := range ds.Samples(s.t.Context(), spans, true) {
			if err != nil {
				s.t.Fatal(err)
			}
			for _, sample := range group.Samples {
				if sample.Outcome == outcomeFrame {
					if files[sample.File] == nil {
						files[sample.File], _ = os.ReadFile(filepath.Join(out, sample.File))
					}
					shows(s.t, sample, files[sample.File])
				}
				if !yield(sample) {
					return
				}
			}
		}
	}
}

// shows reads stream and instant from the picture of a frame.
func shows(t *testing.T, sample dataset.Sample, file []byte) {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(file[sample.Offset:][:sample.Size]))
	if err != nil {
		t.Fatalf("%s: %v", sample.Key, err)
	}
	code, err := kvstest.ReadTimecode(img)
	late := time.UnixMilli(sample.SampleMs).Sub(code.Time)
	if err != nil || code.Stream != kvstest.StreamCode(sample.Stream) || late < 0 || late > time.Second/10 {
		t.Errorf("%s shows stream %x at %v, %v", sample.Key, code.Stream, code.Time, err)
	}
}
