package kvstest

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"
)

// footage is the arithmetic of one stream's media: which frame an instant
// shows and which fragment it lies in. All times are in epoch milliseconds.
type footage struct {
	stretches []recording
	errors    []span
	rate      float64 // frames a second
	fragment  int64
	delay     *time.Duration
	retention int64
}

// recording is media without a pause. One that is late is in the archive from at on.
type recording struct {
	span
	late bool
	at   int64
}

// span is [from, to).
type span struct{ from, to int64 }

func newFootage(s Stream) footage {
	f := footage{
		errors: spans(s.MediaErrors), rate: s.FrameRate, fragment: s.Fragment.Milliseconds(), delay: s.Delay,
		retention: s.Retention.Milliseconds(),
	}
	for _, media := range spans(s.Media) {
		f.stretches = append(f.stretches, recording{span: media})
	}
	for _, l := range s.Late {
		f.stretches = append(f.stretches, recording{span{l.From.UnixMilli(), l.To.UnixMilli()}, true, l.At.UnixMilli()})
	}
	slices.SortFunc(f.stretches, func(a, b recording) int { return cmp.Compare(a.from, b.from) })
	return f
}

func spans(ranges []Range) []span {
	var out []span
	for _, r := range sortedRanges(ranges) {
		out = append(out, span{r.From.UnixMilli(), r.To.UnixMilli()})
	}
	return out
}

// find returns the span that holds t.
func find[S interface{ bounds() span }](sorted []S, t int64) (found S, ok bool) {
	i := sort.Search(len(sorted), func(i int) bool { return sorted[i].bounds().to > t })
	if i == len(sorted) || sorted[i].bounds().from > t {
		return found, false
	}
	return sorted[i], true
}

func (s span) bounds() span { return s }

// A kind is what the service has for an instant.
type kind int

const (
	picture    kind = iota
	noMedia         // nothing there
	mediaError      // something that cannot be decoded
	headless        // in the fragment that the range starts inside
)

// look says what a range that starts at start gets for the instant t, and the
// time of the frame when it is a picture.
func (f footage) look(start, t int64, now time.Time) (kind, int64) {
	stretch, ok := find(f.stretches, t)
	if !ok || !f.kept(stretch, t, now) {
		return noMedia, 0
	}
	if head := f.head(start, now); t < head {
		return headless, 0
	}
	if _, broken := find(f.errors, t); broken {
		return mediaError, 0
	}
	return picture, f.frame(stretch, t)
}

// kept reports whether what a stretch has at t is in the archive.
func (f footage) kept(s recording, t int64, now time.Time) bool {
	ms := now.UnixMilli()
	switch {
	case s.late:
		return s.at <= ms && max(t, s.at) >= ms-f.retention
	case f.delay != nil && min(t-(t-s.from)%f.fragment+f.fragment, s.to)+f.delay.Milliseconds() > ms:
		return false
	}
	return t >= ms-f.retention
}

// head is the end of the fragment that start lies strictly inside, or start.
func (f footage) head(start int64, now time.Time) int64 {
	stretch, ok := find(f.stretches, start)
	if !ok || stretch.late && !f.kept(stretch, start, now) {
		return start
	}
	into := (start - stretch.from) % f.fragment
	if into == 0 {
		return start
	}
	return min(start-into+f.fragment, stretch.to)
}

// frame is the time of the last frame at or before t.
func (f footage) frame(stretch recording, t int64) int64 {
	at := func(n float64) int64 { return stretch.from + int64(math.Floor(n*1000/f.rate)) }
	n := math.Floor(float64(t-stretch.from) * f.rate / 1000)
	// The frame's time is cut to milliseconds, so the next frame may be due too.
	for at(n+1) <= t {
		n++
	}
	return at(n)
}

// frameIndex counts the frames from the first media stretch on, as if the
// stream had never paused.
func (f footage) frameIndex(frame int64) int {
	return int(math.Round(float64(frame-f.stretches[0].from) * f.rate / 1000))
}

// instants is the arithmetic of a GetImages range.
type instants struct {
	start, interval int64
	count           int64
}

// rangeInstants counts the instants start + k·interval up to end; a range
// shorter than the interval has the one at its start.
func rangeInstants(start, end, interval int64, inclusive bool) instants {
	n := (end-start)/interval + 1
	if !inclusive && (end-start)%interval == 0 {
		n--
	}
	return instants{start, interval, max(n, 1)}
}

func (in instants) at(k int64) int64 { return in.start + k*in.interval }
