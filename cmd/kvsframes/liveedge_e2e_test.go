//go:build e2e

package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestHoursAtTheLiveEdge: footage gets into the archive a minute and a half after it was recorded,
// and half an hour of it comes three hours late: each run ends as it should, and no sample is lost
// or paid for twice.
func TestHoursAtTheLiveEdge(t *testing.T) {
	noAWS(t)
	at := func(hours float64) time.Time { return demoStart.Add(time.Duration(hours * float64(time.Hour))) }
	var clock atomic.Int64
	cam := camera("cam")
	cam.Fragment, cam.Delay, cam.Retention = 3*time.Second, new(84*time.Second), new(24*time.Hour)
	cam.Media = []kvstest.Range{{From: at(0), To: at(1)}, {From: at(1.5), To: at(24)}}
	cam.Late = []kvstest.Late{{From: at(1), To: at(1.5), At: at(4.5)}}
	server := kvstest.NewServer(kvstest.Config{
		Streams: []kvstest.Stream{cam}, Now: func() time.Time { return time.UnixMilli(clock.Load()) },
	})
	defer server.Close()
	for _, entry := range server.Env() {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
	out := filepath.Join(t.TempDir(), "out")
	for _, test := range []struct {
		hour    float64
		pending int
		gaps    string
		late    string
	}{
		{1, 39, `{"NO_MEDIA":1200}`, "[]"},
		{2, 39, `{"NO_MEDIA":600}`, "[]"},
		{3, 39, `{"NO_MEDIA":600}`, "[]"},
		{5, 39, "{}", `[{"frames":600,"from":"2026-01-01T01:00:00.000Z","stream":"cam","to":"2026-01-01T01:30:00.000Z"}]`},
	} {
		clock.Store(at(test.hour).UnixMilli())
		var stdout, stderr bytes.Buffer
		status := run(context.WithValue(t.Context(), nowKey{}, at(test.hour)), []string{
			"backfill", "--stream-name", "cam", "--sampling-interval", "3s", "--out", out, "--json", "--quiet",
			"--start-timestamp", "-2h", "--end-timestamp", "now", "--look-again", "12h", "--stream-quota", "0",
		}, &stdout, &stderr)
		if status != 0 {
			t.Fatalf("at %v: exit status %d: %s", test.hour, status, stderr.String())
		}
		wants(t, object(t, stdout.String()), map[string]any{
			"status": `"complete"`, "pending": test.pending, "gaps": test.gaps, "late": test.late, "lost": 0,
		})
	}
	if o := runHere(t, "verify", out); o.status != 0 {
		t.Errorf("%+v", o)
	}
	if n := server.Stats().Images; n > 5*1200-40+30 {
		t.Errorf("%d images are paid for", n)
	}
}
