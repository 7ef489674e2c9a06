//go:build e2e

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestStreamsThatCannotBeRead: they stop a backfill before anything is fetched, all of them named, and
// with --keep-going they stop nothing. What the dataset has needs no stream.
func TestStreamsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dead := camera("dead")
	dead.Retention = new(time.Duration(0))
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam"), camera("yard"), dead}})
	entry := func(name string, minutes int) string {
		return fmt.Sprintf("- stream_name: %s\n  start_timestamp: 2026-01-01\n  end_timestamp: 2026-01-01T00:%02d:00Z\n", name, minutes)
	}
	u.write("r.yaml", entry("cam", 5)+entry("gone", 5)+entry("dead", 5)+entry("yard", 5))
	args := []string{"backfill", "--requests", "r.yaml", "--sampling-interval", "3s", "--out", "out", "--json"}

	o := u.run(args...)
	got := object(t, o.stdout)
	wants(t, got, map[string]any{"status": `"refused"`})
	wants(t, got["error"].(map[string]any), map[string]any{"kind": `"stream_gone"`, "streams": `["gone","dead"]`})
	for _, want := range []string{
		"2 mistakes", "r.yaml:4: describing gone: ResourceNotFoundException", "r.yaml:7: stream dead keeps no data",
		"with --keep-going the others are read", "Nothing was done.",
	} {
		if o.status != 2 || !strings.Contains(o.stderr, want) {
			t.Errorf("exit status %d, want 2 and %q:\n%s", o.status, want, o.stderr)
		}
	}
	if n := u.server.Stats().GetImagesCalls; n > 0 {
		t.Errorf("%d calls were made", n)
	}

	o = u.run(append(args, "--keep-going")...)
	got = object(t, o.stdout)
	wants(t, got, map[string]any{
		"status": `"incomplete"`, "requests": 4, "samples": 400, "frames": 200, "missing": 200, "complete": false,
	})
	wants(t, got["error"].(map[string]any), map[string]any{"kind": `"stream_gone"`, "streams": `["gone","dead"]`})
	streams := map[string]map[string]any{}
	for _, s := range got["streams"].([]any) {
		streams[s.(map[string]any)["stream"].(string)] = s.(map[string]any)
	}
	wants(t, streams["gone"], map[string]any{
		"status": `"incomplete"`, "samples": 100, "missing": 100,
		"range": `{"from":"2026-01-01T00:00:00.000Z","to":"2026-01-01T00:05:00.000Z"}`,
	})
	wants(t, streams["yard"], map[string]any{"status": `"complete"`, "samples": 100, "frames": 100})
	if o.status != 3 || !strings.Contains(o.stderr, "r.yaml:4: describing gone: ResourceNotFoundException") {
		t.Errorf("exit status %d:\n%s", o.status, o.stderr)
	}

	// A camera is gone, and the dataset has all that is asked for of it.
	later := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	later.dir = u.dir
	u.write("r.yaml", entry("cam", 6)+entry("yard", 5))
	wants(t, object(t, later.must(0, args...)), map[string]any{"status": `"complete"`, "samples": 220, "frames": 220})
	u.write("r.yaml", entry("cam", 6)+entry("yard", 6))
	later.must(2, args...)
	wants(t, object(t, later.must(3, append(args, "--keep-going")...)), map[string]any{
		"samples": 240, "frames": 220, "missing": 20, "complete": false,
	})
	if n := later.server.Stats().Images; n != 20 {
		t.Errorf("%d images were served, want 20", n)
	}

	// All streams fail, for what is not of the streams.
	nobody := later.with("AWS_ACCESS_KEY_ID=other")
	wants(t, object(t, nobody.must(1, append(args, "--keep-going")...)), map[string]any{"status": `"failed"`})
}

// TestForbiddenForANight: a stream that may not be read for a night stops nothing with --keep-going, and the
// next night has all of it.
func TestForbiddenForANight(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam"), camera("yard")}})
	target, err := url.Parse(u.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	service := httputil.NewSingleHostReverseProxy(target)
	var forbids atomic.Bool
	forbids.Store(true)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Body = io.NopCloser(bytes.NewReader(body)); forbids.Load() && bytes.Contains(body, []byte(`"yard"`)) {
			w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			w.WriteHeader(http.StatusForbidden)
			return
		}
		service.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	u = u.with("AWS_ENDPOINT_URL_KINESIS_VIDEO=" + proxy.URL)
	args := ask(0, 5, "--stream-name", "yard", "--json")
	got := object(t, u.must(2, args...))
	wants(t, got["error"].(map[string]any), map[string]any{"kind": `"permission"`, "streams": `["yard"]`})
	got = object(t, u.must(3, append(args, "--keep-going")...))
	wants(t, got, map[string]any{"status": `"incomplete"`, "samples": 200, "frames": 100, "missing": 100})
	wants(t, got["error"].(map[string]any), map[string]any{"kind": `"permission"`, "streams": `["yard"]`})
	forbids.Store(false)
	got = object(t, u.must(0, append(args, "--keep-going")...))
	wants(t, got, map[string]any{"status": `"complete"`, "samples": 200, "frames": 200, "error": "null"})
	u.must(0, "verify", "out")
	if n := u.server.Stats().Images; n != 200 {
		t.Errorf("%d images were served, want 200", n)
	}
}
