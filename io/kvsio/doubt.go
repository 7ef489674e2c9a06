package kvsio

import "iter"

// doubts keeps what a window's first range did not settle.
//
// The service leaves out the fragment that a range starts inside, and says
// NO_MEDIA or nothing where its images would be. So samples that are empty at
// the head of a window are asked for again by a range that starts a fragment's
// longest duration earlier. Samples that came with neither image nor error, not
// at all, or as something that is not a picture are asked for once more, with
// the same head start.
type doubts struct {
	w       window
	answers []answer
	strikes []int8 // how often the sample was asked for with the head start it needs, and not answered
	lead    int64  // instants: the head start that is likely to do for the head; 0: the longest
}

// maxStrikes is how often a sample is asked for before no answer is one.
const maxStrikes = 2

// headStart is a range that begins lead instants before the first that is
// asked for.
type headStart struct {
	window
	lead int
}

func newDoubts(w window, answers []answer) *doubts {
	d := &doubts{w: w, answers: answers, strikes: make([]int8, w.n)}
	head, start, lost := true, w.start, int64(w.start)
	for k, a := range answers {
		if a.kind == outOfRetention {
			start = w.at(k + 1)
		}
		inHead := a.kind.maybeHead() && w.at(k) < start+longestFragment
		if head && !inHead && a.kind > noMedia {
			// What is lost is likely one fragment, and this much of it lies in the
			// range: so it did not begin long before.
			d.lead = leadOf(longestFragment-(lost-start), w.step)
		}
		head = head && inHead
		switch {
		case a.kind == outOfRetention:
			d.strikes[k] = maxStrikes
		case head:
			// NO_MEDIA is an answer only with a head start, and so is nothing.
			lost = w.at(k)
		case a.kind.bad():
			d.strikes[k] = 1
		default:
			d.strikes[k] = maxStrikes
		}
	}
	return d
}

// leadOf returns how many instants cover so many milliseconds.
func leadOf(ms, step int64) int64 { return (ms + step - 1) / step }

// windows yields the ranges to ask for, until settle leaves none.
func (d *doubts) windows() iter.Seq[headStart] {
	return func(yield func(headStart) bool) {
		for range 1 + maxStrikes {
			for k := 0; k < d.w.n; {
				if d.strikes[k] >= maxStrikes {
					k++
					continue
				}
				again, next := d.cluster(k)
				if !yield(again) {
					return
				}
				k = next
			}
		}
	}
}

// cluster returns a range for the doubtful sample k and those that follow it
// closely, and the sample after them.
func (d *doubts) cluster(k int) (again headStart, next int) {
	step := min(d.w.step, longestFragment)
	lead := leadOf(longestFragment, step)
	if d.lead > 0 {
		lead, d.lead = min(lead, d.lead), 0
	}
	lead = min(lead, d.w.at(k)/step)
	last := k
	// On a grid coarser than the head start, the range's own grid is finer and
	// holds one sample.
	for j := k + 1; step == d.w.step && j < d.w.n && j-last <= int(lead); j++ {
		if lead+int64(j-k)+1 > windowSamples(step) {
			break
		}
		if d.strikes[j] < maxStrikes {
			last = j
		}
	}
	again.window = window{start: d.w.at(k) - lead*step, step: step, n: int(lead) + last - k + 1}
	again.lead = int(lead)
	return again, last + 1
}

// settle takes the answers to a range that windows yielded.
func (d *doubts) settle(again headStart, answers []answer) {
	for i := again.lead; i < len(answers); i++ {
		k := int((again.at(i) - d.w.start) / d.w.step)
		if d.strikes[k] >= maxStrikes {
			continue
		}
		a := answers[i]
		if a.kind > d.answers[k].kind {
			d.answers[k] = a
		}
		switch {
		case a.kind.maybeHead() && again.at(i)-again.start < longestFragment:
			// The range may have begun inside the same fragment.
		case a.kind.bad():
			d.strikes[k]++
		default:
			d.answers[k], d.strikes[k] = a, maxStrikes
		}
	}
}
