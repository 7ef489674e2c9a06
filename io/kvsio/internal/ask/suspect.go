package ask

import (
	"bytes"
	"cmp"
	"slices"
	"sync/atomic"
)

// A page may have all of its entries in order, and one of them be a copy of its
// neighbour's, be of another page, or tell a wrong time: its time shows it, where it is not
// as the times of the window's other pictures are. Such a sample is asked for again, alone,
// until two answers agree. A sample that may have the next one's picture is asked for again,
// too: the first answer that comes alone is its own.
//
// Nothing shows a wrong time that the picture could have: of a camera that is slower than
// the sampling, or one that is off by less than its pictures' times are apart.

const (
	// leastToCompare is how many pictures show what is usual.
	leastToCompare = 8
	// fewSuspects are asked for first: where all of them were right, the others of the
	// window are believed.
	fewSuspects = 2
	// enoughConfirmed is how many windows in a row may have suspects that were all right
	// before the camera is known to be like that: then only what is far off is suspected.
	enoughConfirmed = 3
	// triesOfSuspect is how often a suspect is asked for again. It is even: the first
	// range has a head start.
	triesOfSuspect = 14
)

// Camera is what is known of the times of a stream's pictures. All windows of a stream
// share one; the zero value is ready.
type Camera struct{ confirmed atomic.Int32 }

// isOdd reports whether its times look like a suspect's, and are right.
func (c *Camera) isOdd() bool { return c.confirmed.Load() >= enoughConfirmed }

// votes are the answers so far to samples that are under suspicion.
type votes struct {
	of      map[int][]Answer // by sample
	rounds  int
	refuted bool // one of them was wrong
}

// decided reports whether an answer is the one for a sample: two agree, or it is not
// under suspicion.
func (v *votes) decided(k int, a *Answer) bool {
	before, suspected := v.of[k]
	if !suspected {
		return true
	}
	i := slices.IndexFunc(before, func(b Answer) bool {
		return a.Kind == b.Kind && a.MS == b.MS && bytes.Equal(a.Data, b.Data)
	})
	if i < 0 {
		v.of[k] = append(before, *a)
		v.refuted = true
		return false
	}
	return true
}

// reopen puts samples in doubt again whose answers contradict the others'. It reports
// whether there are any.
func (u *unsettled) reopen() bool {
	if mistaken := u.neighbours(); len(mistaken) > 0 {
		for _, k := range mistaken {
			u.answers[k].byTime = false // an answer that comes alone is no other sample's
			u.strikes[k], u.tries[k] = 0, maxTries/2
		}
		return true
	}
	switch {
	case u.votes.refuted:
		u.camera.confirmed.Store(0)
	case u.votes.rounds > 0:
		u.camera.confirmed.Add(1)
		return false
	}
	suspects := slices.DeleteFunc(u.suspects(), func(k int) bool {
		_, before := u.votes.of[k]
		return before
	})
	if u.votes.rounds == 0 {
		suspects = suspects[:min(len(suspects), fewSuspects)]
		u.votes.of = make(map[int][]Answer)
	}
	u.votes.rounds++
	for _, k := range suspects {
		u.votes.of[k] = []Answer{u.answers[k]}
		u.strikes[k], u.tries[k] = 0, maxTries-triesOfSuspect
	}
	return len(suspects) > 0
}

// suspects lists the samples whose pictures' times are not as the others' are.
func (u *unsettled) suspects() []int {
	var pictures []int // in the order of their times
	for k, a := range u.answers {
		if a.Kind == Pictured && a.MS != UnknownTime {
			pictures = append(pictures, k)
		}
	}
	var all []int
	for _, k := range slices.Concat(u.contradicted(pictures), u.unusual(pictures)) {
		if !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	return all
}

// neighbours lists samples that may have the picture of the next one: their own entry was
// left out, and the next one has a time just before them. The answer that the next sample
// got then shows it, because it is the same picture with another time.
//
// The pictures of a scene that stands still are all the same. So samples are listed only
// where nothing but a time says which entry is theirs, and where the next one's picture may
// be from long before its instant: its time says so, or those of the window's others do.
func (u *unsettled) neighbours() (found []int) {
	for k := range u.w.N - 1 {
		a, next := &u.answers[k], &u.answers[k+1]
		if a.byTime && a.Kind == Pictured && a.MS != next.MS && bytes.Equal(a.Data, next.Data) {
			found = append(found, k)
		}
	}
	if len(found) == 0 || u.slow() {
		return found
	}
	return slices.DeleteFunc(found, func(k int) bool {
		by, ok := provedBy(u.w, u.answers[k+1].MS)
		return ok && by == k+1
	})
}

// slow reports whether many pictures are from long before their instants.
func (u *unsettled) slow() bool {
	var behind []int64
	for k, a := range u.answers {
		if a.pictureTime() != UnknownTime {
			behind = append(behind, u.w.At(k)-a.MS)
		}
	}
	return usual(behind) >= u.w.Step/4
}

// contradicted lists pictures from before one that lay no later than their own instants:
// the service looks for the last one up to an instant. Either of the two may be wrong.
func (u *unsettled) contradicted(pictures []int) (found []int) {
	byTime := slices.Clone(pictures)
	slices.SortStableFunc(byTime, func(i, j int) int { return cmp.Compare(u.answers[i].MS, u.answers[j].MS) })
	for _, k := range pictures {
		i, _ := slices.BinarySearchFunc(byTime, u.answers[k].MS+1, func(j int, ms int64) int {
			return cmp.Compare(u.answers[j].MS, ms)
		})
		if i < len(byTime) && u.answers[byTime[i]].MS <= u.w.At(k) {
			found = append(found, k, byTime[i])
		}
	}
	return found
}

// unusual lists pictures that are much further from their instants than most are.
func (u *unsettled) unusual(pictures []int) (found []int) {
	if len(pictures) < leastToCompare {
		return nil
	}
	distance := func(k int) int64 { return u.w.At(k) - u.answers[k].MS }
	behind, ahead := make([]int64, len(pictures)), make([]int64, len(pictures))
	for i, k := range pictures {
		behind[i], ahead[i] = max(0, distance(k)), max(0, -distance(k))
	}
	furthest, earliest := 1+usual(behind)*3/2, 1+usual(ahead)*3/2
	if u.camera.isOdd() {
		furthest, earliest = max(furthest, u.w.Step/8), max(earliest, u.w.Step/8)
	}
	for _, k := range pictures {
		if by := distance(k); by > furthest || -by > earliest {
			found = append(found, k)
		}
	}
	return found
}

// usual is what three quarters of distances are not over.
func usual(distances []int64) int64 {
	slices.Sort(distances)
	return distances[len(distances)*3/4]
}
