package kvsio

import (
	"context"
	"sync"
	"time"
)

// metadataPoints is what a call costs in metadata points beside one for each
// image it asks for. The quota of metadata points is 20 times that of media
// points (10,000 and 500 as documented).
const (
	metadataPoints = 400
	metadataRatio  = 20
)

// pace spaces the calls of one stream so that they cost no more than a rate of
// the service's points, and slows down when the service throttles all the same:
// the quota is shared with everyone who watches the stream.
type pace struct {
	mu        sync.Mutex
	told      float64 // media points a second; 0: not told
	factor    float64 // of told, 0–1; lowered by throttles
	rate      float64 // media points a second where told is 0; 0: no limit known yet
	ceiling   float64 // the rate that a throttle last lowered
	media     time.Time
	metadata  time.Time
	lowered   time.Time // when a throttle last counted
	adjusted  time.Time // when the rate was last adjusted
	measured  time.Time // start of the second that granted counts in
	granted   float64   // media points
	lastGrant float64   // media points of the second before
}

// newPace makes the pace of a stream whose quota is quota media points a second
// (0: not known), of which share may be taken.
func newPace(quota, share float64) *pace {
	return &pace{told: quota * share * paceMargin, factor: 1}
}

// paceMargin keeps a share from being overdrawn by the first call of a stream,
// which no other call's wait precedes.
const paceMargin = 0.995

// How the rate follows the service: a throttle lowers it, at most once in
// lowerEvery, and quiet raises it again.
const (
	lowerBy    = 0.75
	lowerEvery = time.Second

	leastFactor = 0.02
	nearCeiling = 0.9
	raiseBy     = 0.03 // a second
	regainBy    = 0.5  // a second, up to near where the last throttle came
	leastRate   = 50   // media points a second where the quota is not told
)

// wait waits until a call for n images may be made.
func (p *pace) wait(ctx context.Context, n int) error {
	d := time.Until(p.reserve(time.Now(), float64(n)))
	if d <= 0 {
		return ctx.Err()
	}
	return sleep(ctx, d)
}

// reserve takes the points for a call of n images, and says when they are there.
func (p *pace) reserve(now time.Time, n float64) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.measure(now, n)
	rate := p.raise(now)
	if rate == 0 {
		return now
	}
	at := latestOf(now, p.media, p.metadata)
	p.media = latestOf(now, p.media).Add(seconds(n / rate))
	p.metadata = latestOf(now, p.metadata).Add(seconds((metadataPoints + n) / (rate * metadataRatio)))
	return at
}

// throttled takes note of a throttle.
func (p *pace) throttled(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.lowered) < lowerEvery {
		return
	}
	p.lowered, p.adjusted = now, now
	if p.told > 0 {
		p.factor = max(p.factor*lowerBy, leastFactor)
		return
	}
	if p.rate == 0 {
		p.rate = max(p.granted, p.lastGrant)
	}
	p.ceiling = p.rate
	p.rate = max(p.rate*lowerBy, leastRate)
}

// raise returns the rate of now, 0 for no limit.
func (p *pace) raise(now time.Time) float64 {
	quiet := now.Sub(p.adjusted).Seconds()
	p.adjusted = now
	if p.told > 0 {
		p.factor = min(1, p.factor+raiseBy*quiet)
		return p.told * p.factor
	}
	by := raiseBy
	if p.rate < p.ceiling*nearCeiling {
		by = regainBy
	}
	p.rate *= 1 + by*min(quiet, 1)
	return p.rate
}

// measure keeps what was granted in this second and the last.
func (p *pace) measure(now time.Time, n float64) {
	if passed := now.Sub(p.measured); passed >= time.Second {
		p.lastGrant = p.granted
		if passed >= 2*time.Second {
			p.lastGrant = 0
		}
		p.measured, p.granted = now, 0
	}
	p.granted += n
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func latestOf(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}
