package pace

import (
	"math"
	"time"
)

// quota finds out how fast the service lets a stream be read, from what becomes
// of the calls, and says at which rate the next may be made. Rates are in media
// points a second.
//
// A throttle lowers the rate a little, to just below where it came; from there
// the rate comes back to that in climbCalls calls, slower and slower, and
// leaves it behind faster and faster, until the next throttle. Where most calls
// are refused the rate falls by what they say: to the rate they were made at
// times the part of them that was accepted. After a fall that is deep the old
// rate is tried again every few seconds for a while, because many falls pass.
type quota struct {
	limit float64 // the most to take; 0: what is granted
	rate  float64 // of the next call; 0: no limit
	top   float64 // where the rate was throttled last; 0: never
	climb float64 // how far the rate is since: 0 just lowered, 1 back at top
	calm  float64 // where a throttle came last that was no storm
	goal  float64 // a rate to try again; 0: none; +Inf: the first search
	tries int     // of goal

	lowered      time.Time
	sent, served float64 // points of the calls made and reported since

	began    time.Time // the first call
	free     float64   // points accepted of the calls made without a limit
	freeTime float64   // seconds they are the quota of
}

const (
	// dip is how much a throttle lowers the rate. It is paid for in what is
	// not taken, and buys a throttle in climbCalls calls and no more.
	dip = 0.04
	// climbCalls is how many calls bring the rate back. It is counted in calls
	// so that throttles are the same part of them at any rate: some 3 %.
	climbCalls = 40
	// climbLeast is how many seconds that takes at least: at high rates many
	// calls are under way at once, and it must be seen what became of them.
	climbLeast = 3.0
	// rise is how much further as many calls again take the rate.
	rise = 0.3

	// doubtCalls is how many accepted calls the rate counts for when throttles
	// speak against it: two of them in a row may be chance.
	doubtCalls = 6
	// chance is how much of the rate throttles must speak against before it
	// falls deeper than dip. It is no more than about dip: else a rate that is
	// lowered could still be too high.
	chance = 0.05

	// leastRate is the lowest rate, in points a second: one or two calls keep
	// asking whether the service is back. It is enough not to be starved by
	// another process that has the quota to itself.
	leastRate = 45

	// A fall below sharpFall of what there was is tried to be undone every
	// retryAfter, mostRetries times: for more than half a minute.
	sharpFall   = 0.6
	retryAfter  = 4 * time.Second
	mostRetries = 8

	// burst is how many seconds' worth the service grants at once to who has
	// not called for a while.
	burst = 1
)

// granted takes note that a call is made, idle after its turn had come. Only
// what is used makes the rate climb, and what is not used takes the climb back:
// so it never gets far from what has been proven.
func (q *quota) granted(g Grant, idle time.Duration) {
	if q.began.IsZero() {
		q.began = g.at
	}
	if q.top == 0 {
		return
	}
	used := g.took - idle.Seconds()
	if q.retries(g.at) {
		q.rate = max(q.top*(1-dip), q.rate*math.Exp2(used)) // twice as fast every second
		if q.rate >= q.goal {
			q.rate, q.top, q.climb, q.goal = q.goal, q.goal, 1, 0
		}
	} else {
		q.climb = max(min(q.climb, 1), q.climb+used/max(g.cost*climbCalls/q.rate, climbLeast))
		q.rate = q.top * slope(q.climb)
	}
	if q.limit > 0 {
		q.rate = min(q.rate, q.limit)
	}
}

// slope is the rate of a climb, as a part of its top.
func slope(climb float64) float64 {
	beyond := math.Pow(climb-1, 3)
	if beyond < 0 {
		return 1 + dip*beyond
	}
	return 1 + rise*beyond
}

// retries reports whether a call made at a time is one of those that try an
// earlier rate again.
func (q *quota) retries(at time.Time) bool {
	if q.searches() {
		return !at.Before(q.lowered)
	}
	return q.goal > 0 && at.Sub(q.lowered) >= retryAfter
}

// searches reports whether the quota was never found yet, only guessed.
func (q *quota) searches() bool { return math.IsInf(q.goal, 1) }

// accepted takes note that a call was served.
func (q *quota) accepted(g Grant) {
	if g.rate > 0 {
		if !g.at.Before(q.lowered) {
			q.sent += g.cost
			q.served += g.cost
		}
		return
	}
	q.free += g.cost
	if q.searches() {
		q.guess()
	}
}

// guess takes what was accepted before there was a limit for what the service
// grants in that time, and its burst.
func (q *quota) guess() {
	q.rate = max(leastRate, q.free/q.freeTime)
	q.top, q.calm, q.climb = q.rate, q.rate, 1
}

// throttled takes note that a call was refused. Of those made before the rate
// was lowered last, none lowers it again.
func (q *quota) throttled(now time.Time, g Grant) {
	if g.rate == 0 {
		if q.rate == 0 {
			q.freeTime = g.at.Sub(q.began).Seconds() + burst
			// What is refused while the burst is made up for says nothing.
			q.lowered, q.goal = g.at.Add(seconds(burst)), math.Inf(1)
			q.guess()
		}
		return
	}
	if g.at.Before(q.lowered) {
		return
	}
	q.sent += g.cost
	from := g.rate
	switch {
	case q.searches():
		from, q.goal = max(from, q.top), 0
	case q.retries(g.at):
		from = q.top // it was right
		if q.tries++; q.tries == mostRetries {
			q.goal = 0
		}
	}
	doubt := doubtCalls * g.cost
	kept := (1 + chance) * (q.served + doubt) / (q.sent + doubt)
	if kept >= 1 {
		q.calm = from
	}
	q.lower(now, from*min(1, kept))
}

// lower sets the rate to below a top.
func (q *quota) lower(now time.Time, top float64) {
	least := float64(leastRate)
	if q.limit > 0 {
		least = min(least, q.limit)
	}
	q.top = max(least, top)
	if q.goal == 0 && q.top < sharpFall*q.calm {
		q.goal, q.tries = q.calm, 0
	}
	q.rate, q.climb = q.top*slope(0), 0
	q.lowered, q.sent, q.served = now, 0, 0
}
