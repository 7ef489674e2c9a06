package admit

import (
	"context"
	"time"
)

// TimeLimit ends a call that takes too long. What the call waits for in this process,
// like memory, need not count: making it again would not make that any quicker.
type TimeLimit struct {
	timer *time.Timer
	end   time.Time
}

// LimitTime returns a context that ends with context.DeadlineExceeded for its
// cause when the limit is reached.
func LimitTime(ctx context.Context, limit time.Duration) (context.Context, *TimeLimit, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &TimeLimit{end: time.Now().Add(limit)}
	l.timer = time.AfterFunc(limit, func() { cancel(context.DeadlineExceeded) })
	return ctx, l, func() {
		l.timer.Stop()
		cancel(nil)
	}
}

// Pause stops the clock until resume is called.
func (l *TimeLimit) Pause() (resume func()) {
	left := time.Until(l.end)
	l.timer.Stop()
	return func() {
		l.end = time.Now().Add(left)
		l.timer.Reset(left)
	}
}
