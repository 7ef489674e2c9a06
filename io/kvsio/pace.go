package kvsio

import (
	"context"
	"sync"
	"time"
)

// pace spaces the calls of one stream so that they cost no more of the
// service's points than may be taken, and slows down when the service throttles
// all the same: the quota is shared with everyone who watches the stream.
type pace struct {
	// head is held by the call whose turn is next. Channels serve those who
	// wait for them first come, first served.
	head    chan struct{}
	changed chan struct{} // the rate has changed: the next turn is at another time

	mu    sync.Mutex
	quota quota
	last  time.Time // the turn before
	cost  float64   // of its call
}

// grant is the turn of one call: when it was, what it costs in media points, at
// which rate (0: no limit), and how many seconds it takes at that rate.
type grant struct {
	at               time.Time
	cost, rate, took float64
}

// newPace makes the pace of a stream whose quota is told media points a second
// (0: not told), of which share may be taken.
func newPace(told, share float64) *pace {
	limit := told * share * paceMargin
	return &pace{
		head: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		quota: quota{limit: limit, rate: limit},
	}
}

// paceMargin keeps a share from being overdrawn by the first call of a stream,
// which no other call's wait precedes.
const paceMargin = 0.995

// timerDelay is how late a timer may wake a call. The turn after makes up for it.
const timerDelay = 10 * time.Millisecond

// A call costs a media point for each image it asks for, and metadataPoints
// and as many more of the metadata points, of which the quota is metadataRatio
// times as large (10,000 and 500 as documented).
const (
	metadataPoints = 400
	metadataRatio  = 20
)

// points is what a call for n images costs, in the kind of points that it takes
// the larger part of, counted as media points.
func points(n int) float64 {
	return max(float64(n), (metadataPoints+float64(n))/metadataRatio)
}

// wait waits until a call for n images may be made. Who waits first goes first,
// and all of them wait for the rate of now, not for that of when they came.
func (p *pace) wait(ctx context.Context, n int) (grant, error) {
	select {
	case p.head <- struct{}{}:
		defer func() { <-p.head }()
	case <-ctx.Done():
	}
	for {
		if err := ctx.Err(); err != nil {
			return grant{}, err
		}
		g, in := p.take(time.Now(), points(n))
		if in <= 0 {
			return g, nil
		}
		timer := time.NewTimer(in)
		select {
		case <-timer.C:
		case <-p.changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// take takes the next turn, or says in how long it is.
func (p *pace) take(now time.Time, cost float64) (grant, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := grant{at: now, cost: cost, rate: p.quota.rate}
	turn := now
	if g.rate > 0 {
		g.took = cost / g.rate
		turn = p.last.Add(seconds(p.cost / g.rate))
	}
	idle := now.Sub(turn)
	if idle < 0 {
		return grant{}, -idle
	}
	p.quota.granted(g, idle)
	p.last, p.cost = now, cost
	if idle < timerDelay {
		p.last = turn
	}
	return g, 0
}

// accepted takes note that the call of a turn was served.
func (p *pace) accepted(g grant) {
	p.report(func() { p.quota.accepted(g) })
}

// throttled takes note that the call of a turn was refused as one too many.
// Calls that failed in another way say nothing about the quota.
func (p *pace) throttled(g grant) {
	p.report(func() { p.quota.throttled(time.Now(), g) })
}

func (p *pace) report(what func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rate := p.quota.rate
	what()
	if p.quota.rate == rate {
		return
	}
	select {
	case p.changed <- struct{}{}:
	default: // who is told next will see this change, too
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
