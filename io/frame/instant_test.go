package frame

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestInstant: an instant is what the time package makes of it, without the dot.
func TestInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.OneOf(rapid.Int64Range(0, 1<<42), rapid.Int64Range(-1<<50, 1<<50)).Draw(t, "ms")
		want := strings.Replace(time.UnixMilli(ms).UTC().Format("20060102T150405.000Z"), ".", "", 1)
		if got := Instant(ms); got != want {
			t.Fatalf("%d: %s, want %s", ms, got, want)
		}
	})
}

func BenchmarkInstant(b *testing.B) {
	for b.Loop() {
		Instant(1_769_853_600_123)
	}
}

// TestClock: an instant is what the time package makes of it.
func TestClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.OneOf(rapid.Int64Range(0, 1<<42), rapid.Int64Range(-1<<50, 1<<50)).Draw(t, "ms")
		if got, want := Clock(ms), time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Fatalf("%d: %s, want %s", ms, got, want)
		}
	})
}
