package ask

import (
	"errors"
	"iter"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// unsettled is what a window's first range did not settle.
//
// The service leaves out the fragment that a range starts inside, and says
// NO_MEDIA or nothing where its images would be. So samples that are empty at
// the head of a window are asked for again by a range that starts a fragment's
// longest duration earlier. So are samples that came with neither image nor
// error, not at all, or as something that is not a picture, and those whose
// entries may be another's: together with their neighbours at first, then alone.
type unsettled struct {
	w       grid.Window
	answers []Answer
	strikes []int  // what speaks for it that there is no answer
	tries   []int  // how often the sample was asked for again
	ended   []bool // a range that held the sample came to its end
	lead    int64  // instants: the head start that is likely to do for the head; 0: the longest
	heard   bool   // some range had an entry
	votes   votes
	camera  *Camera
}

const (
	// maxStrikes is how much has to speak for no answer to be one: as many ranges
	// without it as no chance makes fail in a row, or fewer that lack many samples
	// alike.
	maxStrikes = 30
	// mostEvidence is what a range speaks for at most, so that a few answers that are
	// none are not the end of a window.
	mostEvidence = 6
	// triesTogether is how often samples are asked for together with others: often
	// enough for a whole window that is left out.
	triesTogether = maxStrikes/mostEvidence + 1
	// maxTries is how often a sample is asked for again where answers never say
	// whether they have it.
	maxTries = 60
)

// errUnclear says that no answer is beyond doubt.
var errUnclear = errors.New("the service did not finish any answer that should hold the sample")

// errSilent says that no range of a window, of those with a head start either, had any
// entry. A service that leaves out samples still answers others; this one does not answer.
var errSilent = errors.New("the service answered all ranges that should hold the sample with no entry at all")

// headStart is a range that begins lead instants before the first that is
// asked for.
type headStart struct {
	grid.Window
	lead int
}

func newUnsettled(w grid.Window, first reply, camera *Camera) *unsettled {
	u := &unsettled{
		w: w, answers: first.answers, heard: first.heard, camera: camera,
		strikes: make([]int, w.N), tries: make([]int, w.N), ended: make([]bool, w.N),
	}
	head, start, lost := true, w.Start, int64(w.Start)
	for k, a := range first.answers {
		if a.Kind == OutOfRetention {
			start = w.At(k + 1)
		}
		inHead := a.Kind.maybeHead() && w.At(k) < start+longestFragment
		if head && !inHead && a.Kind > NoMedia {
			// What is lost is likely one fragment, and this much of it lies in the
			// range: so it did not begin long before.
			u.lead = leadOf(longestFragment-(lost-start), w.Step)
		}
		head = head && inHead
		u.ended[k] = first.ended
		switch {
		case a.Kind == OutOfRetention:
			u.strikes[k] = maxStrikes
		case head:
			// NO_MEDIA is an answer only with a head start, and so is nothing.
			lost = w.At(k)
		case a.Kind == Unanswered && !first.whole:
		case a.Kind.bad():
			u.strikes[k] = 1
		default:
			u.strikes[k] = maxStrikes
		}
	}
	return u
}

// leadOf returns how many instants, step milliseconds apart, cover ms milliseconds.
func leadOf(ms, step int64) int64 { return (ms + step - 1) / step }

// open reports whether a sample is to be asked for again.
func (u *unsettled) open(k int) bool { return u.strikes[k] < maxStrikes && u.tries[k] < maxTries }

// windows yields the ranges to ask for, until settle leaves none.
func (u *unsettled) windows() iter.Seq[headStart] {
	return func(yield func(headStart) bool) {
		for range maxTries {
			for k := 0; k < u.w.N; {
				if !u.open(k) {
					k++
					continue
				}
				again, next := u.next(k)
				if !yield(again) {
					return
				}
				k = next
			}
		}
	}
}

// next returns a range for the doubtful sample k, and the sample after those
// that are asked for with it.
func (u *unsettled) next(k int) (again headStart, next int) {
	if u.tries[k] < triesTogether {
		return u.cluster(k)
	}
	u.tries[k]++
	// In turn without a head start, where there is no other entry that could be
	// taken for the sample's, and with one.
	alone := grid.Window{Start: u.w.At(k), Step: u.w.Step, N: 1}
	if u.tries[k]%2 == 0 || alone.Start < longestFragment {
		return headStart{Window: alone}, k + 1
	}
	w := grid.Window{Start: alone.Start - longestFragment, Step: longestFragment, N: 2}
	return headStart{Window: w, lead: 1}, k + 1
}

// cluster returns a range for the doubtful sample k and those that follow it
// closely, and the sample after them.
func (u *unsettled) cluster(k int) (again headStart, next int) {
	step := min(u.w.Step, longestFragment)
	lead := leadOf(longestFragment, step)
	if u.lead > 0 {
		lead, u.lead = min(lead, u.lead), 0
	}
	lead = min(lead, u.w.At(k)/step)
	last := k
	u.tries[k]++
	// On a grid coarser than the head start, the range's own grid is finer and
	// holds one sample.
	for j := k + 1; step == u.w.Step && j < u.w.N && j-last <= int(lead); j++ {
		if lead+int64(j-k)+1 > grid.WindowSamples(step) {
			break
		}
		if u.open(j) && u.tries[j] < triesTogether {
			last = j
			u.tries[j]++
		}
	}
	again.Window = grid.Window{Start: u.w.At(k) - lead*step, Step: step, N: int(lead) + last - k + 1}
	again.lead = int(lead)
	return again, last + 1
}

// settle takes the answers to a range that windows yielded, and reports whether
// they say anything of the samples that it was asked for.
func (u *unsettled) settle(again headStart, r reply) (news bool) {
	var struck []int
	recovered := false
	u.heard = u.heard || r.heard
	for i := again.lead; i < len(r.answers); i++ {
		k := int((again.At(i) - u.w.Start) / u.w.Step)
		if u.strikes[k] >= maxStrikes {
			continue
		}
		u.ended[k] = u.ended[k] || r.ended
		a := r.answers[i]
		if a.Kind > u.answers[k].Kind {
			u.answers[k], news = a, true
		}
		switch {
		case a.Kind.maybeHead() && again.At(i)-again.Start < longestFragment && u.w.At(k) >= longestFragment:
			// The range may have begun inside the same fragment. Where the sample has a
			// picture, nothing more is no failure.
			news = news || u.answers[k].Kind == Pictured
		case a.Kind == Unanswered && !r.whole:
			// An entry without a place may be the sample's.
		case a.Kind.bad():
			struck = append(struck, k)
		case !u.votes.decided(k, &a):
			news = true
		default:
			u.answers[k], u.strikes[k] = a, maxStrikes
			recovered = true
		}
	}
	// What fails in passing seldom fails alike for many samples.
	evidence := 1
	if !recovered {
		evidence = min(len(struck), mostEvidence)
	}
	for _, k := range struck {
		u.strikes[k] += evidence
	}
	return news || recovered || len(struck) > 0
}

// refused takes note that a range's head start lies before what the stream
// keeps: a sample that was asked for alone has no more to hope for.
func (u *unsettled) refused(again headStart) {
	u.heard = true
	if again.N > 2 {
		return
	}
	k := int((again.At(again.lead) - u.w.Start) / u.w.Step)
	if !u.answers[k].Kind.bad() {
		u.strikes[k] = maxStrikes
		return
	}
	u.strikes[k] += maxStrikes / 2
}

// err says that a sample was neither answered nor left out.
func (u *unsettled) err() error {
	if !u.heard {
		return errSilent
	}
	for k, a := range u.answers {
		if a.Kind == Unanswered && !u.ended[k] {
			return errUnclear
		}
	}
	return nil
}
