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
	head, start := true, w.start
	for k, a := range answers {
		if a.kind == outOfRetention {
			start = w.at(k + 1)
		}
		head = head && a.kind.maybeHead() && w.at(k) < start+longestFragment
		switch {
		case a.kind == outOfRetention:
			d.strikes[k] = maxStrikes
		case head:
			// NO_MEDIA is an answer only with a head start, and so is nothing.
		case a.kind.bad():
			d.strikes[k] = 1
		default:
			d.strikes[k] = maxStrikes
		}
	}
	return d
}

// windows yields the ranges to ask for, until settle leaves none.
func (d *doubts) windows() iter.Seq[headStart] {
	return func(yield func(headStart) bool) {
		for round := 0; round < maxStrikes; round++ {
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
	lead := min((longestFragment+step-1)/step, d.w.at(k)/step)
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
		if !a.kind.bad() {
			d.answers[k], d.strikes[k] = a, maxStrikes
			continue
		}
		d.strikes[k]++
		if a.kind > d.answers[k].kind {
			d.answers[k] = a
		}
	}
}
