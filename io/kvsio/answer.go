package kvsio

import (
	"image"
	"math"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// answer is what the service says of one instant.
type answer struct {
	kind  answerKind
	ms    int64 // TimeStamp; unknownTime where there is none
	data  []byte
	size  image.Point
	cause string // of corrupt
}

// pictureTime is the time of the picture, unknownTime where there is none.
func (a answer) pictureTime() int64 {
	if a.kind != pictured {
		return unknownTime
	}
	return a.ms
}

type answerKind uint8

const (
	unanswered answerKind = iota // left out
	empty                        // neither image nor error
	corrupt                      // something that is not a picture
	noMedia
	mediaError
	outOfRetention
	pictured
)

const unknownTime = math.MinInt64

// bad says that the answer is none: the instant is asked for again.
func (k answerKind) bad() bool { return k <= corrupt }

// maybeHead says that the answer is what the service gives for the fragment
// that a range starts inside.
func (k answerKind) maybeHead() bool {
	return k == noMedia || k == empty || k == unanswered || k == outOfRetention
}

func (k answerKind) reason() string {
	switch k {
	case corrupt:
		return framepb.Corrupt
	case noMedia:
		return framepb.NoMedia
	case mediaError:
		return framepb.MediaError
	case outOfRetention:
		return framepb.OutOfRetention
	default:
		return framepb.NotReturned
	}
}

// place says which instant of the window each entry of a page answers, -1 for
// none. At cursor stands the first instant that earlier pages left; before is
// the time of the picture before it. At most asked entries were asked for.
//
// Entries come in order, one an instant, so the next entry is the next
// instant's, however far the picture's own time lies before it: a stream with
// a frame every 5 s is right to answer 12:00:03 with a picture of 12:00:00.
// But entries are left out, too, and put in that nobody asked for. So where
// times contradict the order, they decide: each entry goes to its nearest
// instant.
func place(w window, cursor int, before int64, entries []answer, asked int) []int {
	at := make([]int, len(entries))
	if len(entries) <= asked && inOrder(w, cursor, before, entries) {
		for j := range at {
			at[j] = cursor + j
		}
		return at
	}
	for j, e := range entries {
		at[j] = nearest(w, e.ms)
	}
	return at
}

// inOrder says whether entries can be the answers to the instants from cursor
// on, one each: none lies half a step or more after its instant, and none is a
// picture from before the previous instant unless it is that one's picture
// too.
func inOrder(w window, cursor int, before int64, entries []answer) bool {
	if cursor+len(entries) > w.n {
		return false
	}
	for j, e := range entries {
		if e.ms == unknownTime {
			continue
		}
		instant := w.at(cursor + j)
		if 2*(e.ms-instant) >= w.step {
			return false
		}
		if before != unknownTime && e.ms <= instant-w.step && e.ms != before {
			return false
		}
		before = e.pictureTime()
	}
	return true
}

// early says whether the window's last answer is a picture from half a step or
// more before its instant.
func early(w window, last answer) bool {
	return last.kind == pictured && last.ms != unknownTime && 2*(w.at(w.n-1)-last.ms) >= w.step
}

func nearest(w window, ms int64) int {
	if ms == unknownTime {
		return -1
	}
	k := (ms - w.start + w.step/2) / w.step
	if ms < w.start-w.step/2 || k < 0 || k >= int64(w.n) {
		return -1
	}
	return int(k)
}

// better says whether an entry answers an instant better than what stands
// there: two entries for one instant are one too many.
func better(instant int64, e, than answer) bool {
	if than.kind == unanswered {
		return true
	}
	d, dThan := distance(instant, e.ms), distance(instant, than.ms)
	return d < dThan || d == dThan && e.kind > than.kind
}

func distance(a, b int64) int64 {
	switch {
	case b == unknownTime:
		return math.MaxInt64
	case a > b:
		return a - b
	default:
		return b - a
	}
}
