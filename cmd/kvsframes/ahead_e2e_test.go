//go:build e2e

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// A producer's clock may be ahead: a range may end in the future where there is footage.
func TestFootageAhead(t *testing.T) {
	t.Parallel()
	end := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	ahead, short, off := camera("cam"), camera("short"), camera("off")
	ahead.Media = []kvstest.Range{{From: demoStart, To: end}}
	short.Media = []kvstest.Range{{From: demoStart, To: end.Add(-10 * time.Minute)}}
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{ahead, short, off}})
	from := func(stream string, ago time.Duration, more ...string) []string {
		return append([]string{
			"backfill", "--stream-name", stream, "--sampling-interval", "3s",
			"--start-timestamp", end.Add(-ago).Format(time.RFC3339), "--end-timestamp", "2200-01-01",
		}, more...)
	}
	for _, test := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"footage", from("cam", time.Hour), 0, "warning: the range of cam ends"},
		{"footage of a minute", from("cam", time.Minute), 0, "the producer's clock is ahead"},
		{
			"by a server's clock", from("cam", time.Hour, "--image-selector-type", "SERVER_TIMESTAMP"), 2,
			"it must be at most now",
		},
		{"none", from("off", time.Hour), 2, "stream off: --end-timestamp is 2200-01-01T00:00:00Z, in the future"},
		{"ends before", from("short", time.Hour), 2, "a later end needs footage of the 5 minutes before it"},
	} {
		o := u.run(append(test.args, "--out", strings.ReplaceAll(test.name, " ", "-"))...)
		if o.status != test.status || !strings.Contains(o.stderr, test.want) {
			t.Errorf("%s: exit status %d, want %d and %q:\n%s", test.name, o.status, test.status, test.want, o.stderr)
		}
	}
	if said := u.must(0, "verify", "footage"); !strings.Contains(said, "1,200 frames") {
		t.Errorf("an hour is %s", said)
	}
}
