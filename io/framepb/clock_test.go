package framepb

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestClock: an instant is what the time package makes of it.
func TestClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.OneOf(rapid.Int64Range(0, 1<<42), rapid.Int64Range(-1<<50, 1<<50)).Draw(t, "ms")
		if got, want := Clock(ms), time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Fatalf("%d: %s, want %s", ms, got, want)
		}
	})
}
