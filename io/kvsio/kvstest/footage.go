package kvstest

import (
	"math"
	"sort"
	"time"
)

// footage is the arithmetic of one stream's media: which frame an instant
// shows and which fragment it lies in. All times are in epoch milliseconds.
type footage struct {
	stretches []span
	errors    []span
	rate      float64 // frames a second
	fragment  int64
	retention int64
	arrival   *int64 // after a fragment's end; nil: all is there
	offline   []span // of the producer
}

// span is [from, to).
type span struct{ from, to int64 }

func newFootage(s Stream) footage {
	f := footage{
		stretches: spans(s.Media), errors: spans(s.MediaErrors), rate: s.FrameRate,
		fragment: s.Fragment.Milliseconds(), retention: s.Retention.Milliseconds(), offline: spans(s.Offline),
	}
	if s.Arrival != nil {
		f.arrival = new(s.Arrival.Milliseconds())
	}
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
func find(sorted []span, t int64) (span, bool) {
	i := sort.Search(len(sorted), func(i int) bool { return sorted[i].to > t })
	if i == len(sorted) || sorted[i].from > t {
		return span{}, false
	}
	return sorted[i], true
}

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
	if !ok || t < now.UnixMilli()-f.retention || !f.arrived(stretch, t, now.UnixMilli()) {
		return noMedia, 0
	}
	if head := f.head(start); t < head {
		return headless, 0
	}
	if _, broken := find(f.errors, t); broken {
		return mediaError, 0
	}
	return picture, f.frame(stretch, t)
}

// head is the end of the fragment that start lies strictly inside, or start.
func (f footage) head(start int64) int64 {
	stretch, ok := find(f.stretches, start)
	if !ok {
		return start
	}
	if (start-stretch.from)%f.fragment == 0 {
		return start
	}
	return f.fragmentEnd(stretch, start)
}

// fragmentEnd is the end of the fragment of the stretch that t lies in.
func (f footage) fragmentEnd(stretch span, t int64) int64 {
	return min(t-(t-stretch.from)%f.fragment+f.fragment, stretch.to)
}

// arrived reports whether the fragment that holds t is in the archive.
func (f footage) arrived(stretch span, t, now int64) bool {
	if f.arrival == nil {
		return true
	}
	arrives := f.fragmentEnd(stretch, t) + *f.arrival
	if offline, ok := find(f.offline, arrives); ok {
		arrives = offline.to
	}
	return arrives <= now
}

// frame is the time of the last frame at or before t.
func (f footage) frame(stretch span, t int64) int64 {
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
