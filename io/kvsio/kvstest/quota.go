package kvstest

import (
	"sync"
	"time"
)

// bucket is a token bucket that holds one second's worth. A rate of 0 is no
// limit.
type bucket struct {
	rate  float64 // a second
	level float64
	at    time.Time
}

func newBucket(rate float64) bucket { return bucket{rate: rate, level: rate} }

// fill brings the level up to the time now.
func (b *bucket) fill(now time.Time) {
	if elapsed := now.Sub(b.at).Seconds(); elapsed > 0 {
		b.level = min(b.level+elapsed*b.rate, b.rate)
		b.at = now
	}
}

// allows reports whether cost may be taken. What costs more than a second's worth
// needs a full bucket and leaves a debt: so it passes, and the average holds.
func (b *bucket) allows(cost float64) bool {
	return b.rate == 0 || b.level >= min(cost, b.rate)
}

// limiter takes costs from several buckets, from all or from none.
type limiter struct {
	mu      sync.Mutex
	buckets []bucket
}

func newLimiter(rates ...float64) *limiter {
	l := &limiter{}
	for _, r := range rates {
		l.buckets = append(l.buckets, newBucket(r))
	}
	return l
}

// take takes costs[i] from bucket i, or nothing if one of them has too little.
func (l *limiter) take(now time.Time, costs ...float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.buckets {
		l.buckets[i].fill(now)
		if !l.buckets[i].allows(costs[i]) {
			return false
		}
	}
	for i := range l.buckets {
		if l.buckets[i].rate != 0 {
			l.buckets[i].level -= costs[i]
		}
	}
	return true
}

// setRates changes the rates. What is in a bucket stays, up to a second's worth.
func (l *limiter) setRates(now time.Time, rates ...float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.buckets {
		b := &l.buckets[i]
		b.fill(now)
		b.rate = rates[i]
		b.level = min(b.level, b.rate)
	}
}

// costs are what a GetImages call pays that asks for n images.
func costs(n int64) (media, metadata float64) {
	return float64(n), 400 + float64(n)
}
