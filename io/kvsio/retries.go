package kvsio

import (
	"context"
	"sync"
	"time"
)

// retries keeps an outage from becoming a storm. Each attempt waits longer
// than the one before, but a process has many calls under way: so calls that
// are made again are few unless calls succeed, too.
type retries struct {
	mu   sync.Mutex
	left float64
	at   time.Time
	last time.Time // a call succeeded
}

const (
	retryBurst      = 100 // at once
	retriesASecond  = 5   // where nothing succeeds
	retriesASuccess = 1
)

func (r *retries) fill(now time.Time, by float64) {
	if r.at.IsZero() {
		r.left = retryBurst
	} else {
		by += retriesASecond * now.Sub(r.at).Seconds()
	}
	r.left, r.at = min(r.left+by, retryBurst), now
}

// succeeded takes note of a call that succeeded.
func (r *retries) succeeded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = time.Now()
	r.fill(r.last, retriesASuccess)
}

// succeededSince reports whether any call has succeeded since an instant.
func (r *retries) succeededSince(t time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last.After(t)
}

// wait waits until a call may be made again.
func (r *retries) wait(ctx context.Context) error {
	r.mu.Lock()
	r.fill(time.Now(), -1)
	debt := -r.left
	r.mu.Unlock()
	if debt <= 0 {
		return ctx.Err()
	}
	return sleep(ctx, time.Duration(debt/retriesASecond*float64(time.Second)))
}
