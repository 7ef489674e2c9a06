// Package pace spaces the calls of GetImages so that one stream's cost no more of the
// service's points than may be taken, and finds out how many those are.
//
// The service grants each stream media points and metadata points, so many a second
// (500 and 10,000 as documented), to all who watch it together. A call is paid for by
// how many images it asks for, not by how many come. So a [Pace] gives calls their turns
// at a rate that is lowered where the service throttles and raised again where it does
// not, and [PageSizes] finds out how many images are worth asking for.
//
// Rates are in media points a second. A call that costs more in metadata points counts
// as that many media points.
package pace

import (
	"context"
	"sync"
	"time"
)

// Pace spaces the calls of one stream so that they cost no more of the
// service's points than may be taken, and slows down when the service throttles
// all the same: the quota is shared with everyone who watches the stream.
type Pace struct {
	// head is held by the call whose turn is next. Channels serve those who
	// wait for them first come, first served.
	head    chan struct{}
	changed chan struct{} // the rate has changed: the next turn is at another time

	mu    sync.Mutex
	quota quota
	last  time.Time // the turn before
	cost  float64   // of its call
}

// Grant is the turn of one call, as Wait gives it: when it was, what it costs in media
// points, at which rate (0: no limit), and how many seconds it takes at that rate.
type Grant struct {
	at               time.Time
	cost, rate, took float64
}

// New makes the pace of a stream whose quota is that many media points a second, of
// which share (over 0 and up to 1) may be taken. With a quota of 0, which stands for
// an unknown one, calls are as fast as throttles allow.
func New(mediaPoints, share float64) *Pace {
	limit := mediaPoints * share * paceMargin
	return &Pace{
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

// Wait waits until a call for n images may be made. Who waits first goes first,
// and all of them wait for the rate of now, not for that of when they came. What
// becomes of the call is to be reported by Accepted or Throttled, with its grant;
// of a call that fails in another way, which says nothing about the quota, nothing is.
func (p *Pace) Wait(ctx context.Context, n int) (Grant, error) {
	return p.wait(ctx, points(n))
}

// WaitMetadata is Wait for a call that costs metadata points alone.
func (p *Pace) WaitMetadata(ctx context.Context, points int) (Grant, error) {
	return p.wait(ctx, float64(points)/metadataRatio)
}

func (p *Pace) wait(ctx context.Context, cost float64) (Grant, error) {
	select {
	case p.head <- struct{}{}:
		defer func() { <-p.head }()
	case <-ctx.Done():
	}
	for {
		if err := ctx.Err(); err != nil {
			return Grant{}, err
		}
		g, in := p.take(time.Now(), cost)
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
func (p *Pace) take(now time.Time, cost float64) (Grant, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := Grant{at: now, cost: cost, rate: p.quota.rate}
	turn := now
	if g.rate > 0 {
		g.took = cost / g.rate
		turn = p.last.Add(seconds(p.cost / g.rate))
	}
	idle := now.Sub(turn)
	if idle < 0 {
		return Grant{}, -idle
	}
	p.quota.granted(g, idle)
	p.last, p.cost = now, cost
	if idle < timerDelay {
		p.last = turn
	}
	return g, 0
}

// Accepted takes note that the call of a turn was served.
func (p *Pace) Accepted(g Grant) {
	p.report(func() { p.quota.accepted(g) })
}

// Throttled takes note that the call of a turn was refused as one too many.
func (p *Pace) Throttled(g Grant) {
	p.report(func() { p.quota.throttled(time.Now(), g) })
}

func (p *Pace) report(what func()) {
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
