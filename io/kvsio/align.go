package kvsio

import "time"

// AlignStart returns r with its StartTimestamp moved down, by less than an interval, to the grid of a
// phase: the instants phase + i·SamplingInterval since 1970, for every integer i. So requests
// that begin whenever they like have the samples of one series. A request without an interval stays
// as it is.
func (r Request) AlignStart(phase time.Duration) Request {
	r.StartTimestamp = r.alignedTo(phase, r.StartTimestamp)
	return r
}

// AlignEnd returns r with its EndTimestamp moved down, by less than an interval, to the
// grid that begins with its StartTimestamp. Where both are then the same instant the request
// is not valid.
func (r Request) AlignEnd() Request {
	r.EndTimestamp = r.alignedTo(time.Duration(toMillis(r.StartTimestamp))*time.Millisecond, r.EndTimestamp)
	return r
}

func (r Request) alignedTo(phase time.Duration, t time.Time) time.Time {
	interval := r.SamplingInterval.Milliseconds()
	if interval <= 0 || t.IsZero() {
		return t
	}
	over := (t.UnixMilli() - phase.Milliseconds()) % interval
	if over < 0 {
		over += interval
	}
	return time.UnixMilli(t.UnixMilli() - over).UTC()
}
