package admit

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestTimeLimitSkipsPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, limit, cancel := LimitTime(t.Context(), time.Minute)
		defer cancel()
		for range 3 {
			time.Sleep(10 * time.Second)
			resume := limit.Pause()
			time.Sleep(time.Hour)
			resume()
		}
		<-ctx.Done()
		if d := time.Since(began); d != time.Minute+3*time.Hour || context.Cause(ctx) != context.DeadlineExceeded {
			t.Errorf("ended after %v: %v", d, context.Cause(ctx))
		}
	})
}

func TestTimeLimitIsTheCallersToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outer, end := context.WithCancel(t.Context())
		ctx, limit, cancel := LimitTime(outer, time.Minute)
		defer cancel()
		defer limit.Pause()()
		end()
		if <-ctx.Done(); context.Cause(ctx) != context.Canceled {
			t.Error(context.Cause(ctx))
		}
	})
}
