package kvsio

import (
	"context"
	"time"
)

// timeLimit ends a call that takes too long. What the call waits for in this
// process does not count: to be made again would not make that any quicker.
type timeLimit struct {
	timer *time.Timer
	end   time.Time
}

// limitTime returns a context that ends with context.DeadlineExceeded for its
// cause when the limit is reached.
func limitTime(ctx context.Context, limit time.Duration) (context.Context, *timeLimit, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &timeLimit{end: time.Now().Add(limit)}
	l.timer = time.AfterFunc(limit, func() { cancel(context.DeadlineExceeded) })
	return ctx, l, func() {
		l.timer.Stop()
		cancel(nil)
	}
}

// pause stops the clock until resume is called.
func (l *timeLimit) pause() (resume func()) {
	left := time.Until(l.end)
	l.timer.Stop()
	return func() {
		l.end = time.Now().Add(left)
		l.timer.Reset(left)
	}
}
