package ask

import (
	"fmt"
	"image"
	"math"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// Answer is what the service says of one instant.
type Answer struct {
	Kind  Kind
	MS    int64       // its TimeStamp, milliseconds since the epoch; UnknownTime where it has none
	Data  []byte      // the encoded picture, where Kind is Pictured
	Size  image.Point // of the picture, in pixels
	Cause string      // of Corrupt and UnknownError, in words

	byTime bool // nothing but its MS says that it is not the next instant's
}

// pictureTime is the time of the picture, unknownTime where there is none.
func (a Answer) pictureTime() int64 {
	if a.Kind != Pictured {
		return UnknownTime
	}
	return a.MS
}

// Kind is the kind of an answer. Of two answers to one instant, that of the greater kind
// says more.
type Kind uint8

// The kinds of answers.
const (
	Unanswered     Kind = iota // left out
	Empty                      // neither image nor error
	Corrupt                    // something that is not a picture
	UnknownError               // an error that the service is not known to answer
	NoMedia                    // the service's NO_MEDIA
	MediaError                 // the service's MEDIA_ERROR
	OutOfRetention             // before what the stream keeps
	Pictured
)

// UnknownTime is the time of an answer that has none.
const UnknownTime = math.MinInt64

// bad reports whether the answer says nothing of the sample: the instant is asked for again.
func (k Kind) bad() bool { return k <= UnknownError }

// maybeHead reports whether the answer is what the service gives for the fragment
// that a range starts inside.
func (k Kind) maybeHead() bool {
	return k == NoMedia || k == Empty || k == Unanswered || k == OutOfRetention
}

// Reason returns the reason of a gap with an answer of the kind (frame.GapReasons).
func (k Kind) Reason() string {
	switch k {
	case Corrupt:
		return frame.Corrupt
	case NoMedia:
		return frame.NoMedia
	case MediaError, UnknownError:
		return frame.MediaError
	case OutOfRetention:
		return frame.OutOfRetention
	default:
		return frame.NotReturned
	}
}

// position is how far the pages of a range have come.
type position struct {
	cursor  int   // the instant that the next page begins with
	certain bool  // it does: else with that one or one after it
	before  int64 // the time of the picture before it, unknownTime where there is none
}

// place returns which instant of the window each entry of a page answers, -1 for
// those of which that is in doubt, and where the next page begins. The page was
// asked for as many entries as asked says.
//
// A page may lack entries, have entries that nobody asked for, or tell a wrong
// time; and a camera that is slower than the sampling is right to answer
// several instants with one picture, from long before some of them. So an entry
// is believed for one of two reasons. Either its page begins at a known instant
// and has exactly as many entries as were asked for: then they are in order, one
// an instant, unless their times contradict that. Or its own time proves it: see
// timed. What is neither is asked for again.
func place(w grid.Window, from position, entries []Answer, asked int) (at []int, to position) {
	at = make([]int, len(entries))
	to = position{cursor: from.cursor, before: UnknownTime}
	exact := from.certain && len(entries) == asked && from.cursor+len(entries) <= w.N
	if exact {
		to.cursor, to.certain = from.cursor+len(entries), true
		if inOrder(w, from, entries) {
			for j := range at {
				at[j] = from.cursor + j
			}
			to.before = entries[len(entries)-1].pictureTime()
			return at, to
		}
	}
	if next := timed(w, from.cursor, entries, at, len(entries) <= asked); next > to.cursor {
		to.cursor, to.certain = next, false
	}
	return at, to
}

// inOrder reports whether entries can be the answers to the instants from a
// position on, one each: none lies half a step or more after its instant, and
// none is a picture from before the previous instant unless it is that one's
// picture too. A time that no picture can have says nothing about order.
func inOrder(w grid.Window, from position, entries []Answer) bool {
	before := from.before
	for j, e := range entries {
		instant := w.At(from.cursor + j)
		if e.MS == UnknownTime || far(instant, e.MS) {
			before = UnknownTime
			continue
		}
		if 2*(e.MS-instant) >= w.Step {
			return false
		}
		if before != UnknownTime && e.MS <= instant-w.Step && e.MS != before {
			return false
		}
		before = e.pictureTime()
	}
	return true
}

// timed sets the instants, none before first, that entries answer as their times
// prove: an entry from less than half a step before an instant answers that one. For the
// service looks for the last frame up to an instant, so it was asked for that
// instant or a later one, and what is found for a later one, but lies before
// this one, is the frame of both. (An entry that nobody asked for may be one of
// an instant halfway between two.)
//
// That holds for cameras faster than the sampling, nearly all of whose entries
// are such. Where two entries are not, or two claim one instant, or one claims the
// instant of an entry before it, none is proved by it: a time may be wrong, too.
// What a wrong time proves falsely all the same is found later: see neighbours.
//
// timed returns the first instant that the entries leave to the next page: each
// entry is an instant's, unless there are more than were asked for.
func timed(w grid.Window, first int, entries []Answer, at []int, each bool) (next int) {
	claims := make(map[int]int, len(entries)) // of an instant: the entry
	strange := 0
	for j, e := range entries {
		at[j] = -1
		k, ok := provedBy(w, e.MS)
		if !ok || k < first {
			strange++
			continue
		}
		if other, taken := claims[k]; taken {
			strange++
			if entries[other].MS != e.MS {
				at[other] = -1
			}
			continue
		}
		claims[k], at[j] = j, k
	}
	next = first
	for _, k := range at {
		switch {
		case k < 0 && each:
			next++
		case k < 0:
		case each && k < next:
			strange = len(entries) // it claims what an entry before it answers
			next++
		default:
			next = max(next, k+1)
		}
	}
	if strange > 1 {
		for j := range at {
			at[j] = -1
		}
	}
	for j, k := range at {
		entries[j].byTime = 0 <= k && k < w.N-1
	}
	return next
}

// provedBy returns the instant that a time lies on, or less than half a step
// before.
func provedBy(w grid.Window, ms int64) (k int, ok bool) {
	if ms == UnknownTime || ms <= w.Start-w.Step || ms > w.At(w.N-1) {
		return 0, false
	}
	k = int((ms - w.Start + w.Step - 1) / w.Step)
	return k, 2*(w.At(k)-ms) < w.Step
}

// far reports whether a time is no picture's of an instant: the service takes a
// picture from the fragment that the instant lies in, and those are at most
// longestFragment long.
func far(instant, ms int64) bool { return ms < instant-longestFragment || ms > instant+longestFragment }

// of returns an entry as the answer to an instant. A picture with a time that a
// picture of the instant cannot have is corrupt.
func (a Answer) of(instant int64) Answer {
	if a.Kind != Pictured || a.MS == UnknownTime || !far(instant, a.MS) {
		return a
	}
	cause := fmt.Sprintf("its TimeStamp is %s, further from the sample than a fragment is long",
		time.UnixMilli(a.MS).UTC().Format(time.RFC3339Nano))
	return Answer{Kind: Corrupt, MS: UnknownTime, Cause: cause}
}
