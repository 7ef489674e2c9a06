//go:build e2e

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestNightsThatBeginWhenever: ranges that depend on when the command runs pay for each image
// once, whenever that is, and a range that another tool reckoned is not paid for again.
func TestNightsThatBeginWhenever(t *testing.T) {
	noAWS(t)
	began := demoStart.Add(2*time.Hour + 7300*time.Millisecond)
	var clock atomic.Pointer[time.Time]
	clock.Store(&began)
	cam := camera("cam")
	cam.Fragment = time.Second
	server := kvstest.NewServer(kvstest.Config{
		Streams: []kvstest.Stream{cam}, Now: func() time.Time { return *clock.Load() },
	})
	defer server.Close()
	for _, entry := range server.Env() {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
	out := filepath.Join(t.TempDir(), "out")
	file := filepath.Join(t.TempDir(), "cameras.yaml")
	entry := "- {stream_name: cam, start_timestamp: -90m, end_timestamp: now}\n"
	if err := os.WriteFile(file, []byte(entry), 0o600); err != nil {
		t.Fatal(err)
	}
	// at runs a backfill some time after the first.
	at := func(after time.Duration, more ...string) ran {
		t.Helper()
		now := began.Add(after)
		clock.Store(&now)
		var stdout, stderr bytes.Buffer
		args := append([]string{"backfill", "--sampling-interval", "7s", "--out", out, "--json", "--quiet", "--settle", "0"}, more...)
		status := run(context.WithValue(t.Context(), nowKey{}, now), args, &stdout, &stderr)
		return ran{status, stdout.String(), stderr.String()}
	}
	hour := []string{"--stream-name", "cam", "--start-timestamp", "-1h", "--end-timestamp", "now"}
	rome := []string{
		"--stream-name", "cam", "--time-zone", "Europe/Rome", "--start-timestamp", "today", "--end-timestamp", "-1h",
	}
	reckoned := []string{
		"--stream-name", "cam", "--start-timestamp", demoStart.Add(time.Hour + 2*time.Second).Format(time.RFC3339),
		"--end-timestamp", demoStart.Add(2 * time.Hour).Format(time.RFC3339),
	}
	for i, step := range []struct {
		after  time.Duration
		args   []string
		images int
		status int
		said   string
	}{
		{0, hour, 514, 0, ""},
		{4*time.Minute + 13*time.Second, hour, 36, 0, ""},
		{9 * time.Minute, []string{"--requests", file}, 221, 0, ""}, // its end, and what is before the first
		{10 * time.Minute, hour, 9, 0, ""},
		{11 * time.Minute, reckoned, 0, 2, "stream cam: --start-timestamp is 2026-01-01T01:00:02Z, 4s after one of the "},
		{12 * time.Minute, append(reckoned, "--align", "dataset"), 0, 0, ""},
		{13 * time.Minute, rome, 335, 0, ""},
	} {
		before := server.Stats().Images
		o := at(step.after, step.args...)
		if images := server.Stats().Images - before; o.status != step.status || images != step.images ||
			!strings.Contains(o.stderr, step.said) || step.said == "" && o.stderr != "" {
			t.Errorf("step %d: exit status %d, %d images, want %d and %d:\n%s%s", i+1, o.status, images, step.status, step.images,
				o.stderr, o.stdout)
		}
		wayOut := "--align dataset moves start and end down to them (to 2026-01-01T00:59:58Z)"
		if step.status == 2 && !strings.Contains(o.stderr, wayOut) {
			t.Errorf("it names no way out:\n%s", o.stderr)
		}
	}
	if o := runHere(t, "verify", out); o.status != 0 {
		t.Errorf("%+v", o)
	}
	images := server.Stats().Images
	if o := at(14*time.Minute, append(reckoned, "--new-phase")...); o.status != 0 || server.Stats().Images == images {
		t.Errorf("meant so: %+v, %d images", o, server.Stats().Images-images)
	}
}
