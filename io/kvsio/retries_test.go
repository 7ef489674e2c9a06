package kvsio

import (
	"testing"
	"testing/synctest"
	"time"
)

// While nothing succeeds, the calls that are made again are few, whatever the
// number of shards that would make them.
func TestRetriesAreNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r retries
		again := 0
		end := time.Now().Add(time.Minute)
		done := make(chan bool)
		for range 64 {
			go func() {
				for time.Now().Before(end) {
					if err := r.wait(t.Context()); err != nil {
						t.Error(err)
					}
					done <- false
				}
				done <- true
			}()
		}
		for left := 64; left > 0; {
			if <-done {
				left--
			} else {
				again++
			}
		}
		if most := retryBurst + 60*retriesASecond + 64; again > most {
			t.Errorf("%d calls were made again in a minute, want at most %d", again, most)
		}
	})
}

// Calls that fail now and then are made again at once.
func TestRetriesDoNotWaitWhereCallsSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r retries
		began := time.Now()
		for range 10_000 {
			r.succeeded()
			if err := r.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("waited %v", took)
		}
	})
}
