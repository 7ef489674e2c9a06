package main

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

func TestBackfillJSON(t *testing.T) {
	t.Parallel()
	cam, off := camera("cam"), camera("off")
	cam.MediaErrors = []kvstest.Range{{From: demoStart.Add(time.Minute), To: demoStart.Add(2 * time.Minute)}}
	off.Media[0].From = demoStart.Add(5 * time.Minute)
	for _, runner := range []string{"prism", "direct"} {
		t.Run(runner, func(t *testing.T) {
			t.Parallel()
			u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{cam, off}})
			o := object(t, u.must(0, ask(0, 10, "--stream-name", "off", "--json", "--runner", runner)...))
			fields := []string{
				"at_risk", "complete", "dataset", "drops", "error", "fetched", "frames", "gaps", "get_images_calls", "late", "lost",
				"missing", "pending", "range", "requests", "retries", "samples", "schema", "seconds", "shards", "skipped_shards", "status", "streams",
				"throttles",
			}
			if got := slices.Sorted(maps.Keys(o)); !slices.Equal(got, fields) {
				t.Errorf("the fields are %v, want %v", got, fields)
			}
			calls := u.server.Stats().GetImagesCalls
			wants(t, o, map[string]any{
				"schema": `"kvsframes.backfill/1"`, "dataset": `"out"`, "requests": 2, "samples": 400, "frames": 280,
				"complete": true, "status": `"complete"`, "error": "null", "missing": 0, "pending": 0,
				"range": `{"from":"2026-01-01T00:00:00.000Z","to":"2026-01-01T00:10:00.000Z"}`,
				"gaps":  `{"MEDIA_ERROR":20,"NO_MEDIA":100}`, "drops": "{}", "shards": 4, "skipped_shards": 0,
				"get_images_calls": calls, "retries": 0, "throttles": 0,
			})
			wants(t, o["fetched"].(map[string]any), map[string]any{"samples": 400, "frames": 280})
			streams := o["streams"].([]any)
			if len(streams) != 2 {
				t.Fatalf("%d streams", len(streams))
			}
			wants(t, streams[0].(map[string]any), map[string]any{
				"stream": `"cam"`, "stream_arn": `"` + u.server.StreamARN("cam") + `"`,
				"samples": 200, "frames": 180, "gaps": `{"MEDIA_ERROR":20}`, "drops": "{}",
				"status": `"complete"`, "complete": true, "missing": 0,
				"range": `{"from":"2026-01-01T00:00:00.000Z","to":"2026-01-01T00:10:00.000Z"}`,
				"longest_gap": `{"from":"2026-01-01T00:01:00.000Z","reason":"MEDIA_ERROR","samples":20,` +
					`"to":"2026-01-01T00:02:00.000Z"}`,
			})
			wants(t, object(t, u.must(0, "verify", "out", "--json")), map[string]any{
				"schema": `"kvsframes.verify/1"`, "samples": 400, "frames": 280, "gaps": `{"MEDIA_ERROR":20,"NO_MEDIA":100}`,
				"drops": "{}", "missing": 0, "duplicate": 0, "corrupt": 0, "failed": 0, "shards": 4, "complete": true,
			})
		})
	}
}

// What the dataset has is not fetched again: the same, a later end, an overlap.
func TestBackfillIsASetDifference(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	steps := []struct {
		args             []string
		samples, fetched int
	}{
		{ask(0, 10, "--json"), 200, 200},
		{ask(0, 10, "--json"), 200, 0},
		{ask(0, 20, "--json"), 400, 200},  // a later end
		{ask(10, 25, "--json"), 300, 100}, // an overlap
		{ask(0, 25, "--json", "--runner", "prism", "--stream-name", "cam"), 500, 0},
	}
	for i, step := range steps {
		images := u.server.Stats().Images
		o := object(t, u.must(0, step.args...))
		wants(t, o, map[string]any{"samples": step.samples, "frames": step.samples})
		wants(t, o["fetched"].(map[string]any), map[string]any{"samples": step.fetched, "frames": step.fetched})
		if got := u.server.Stats().Images - images; got != step.fetched {
			t.Errorf("step %d: %d images were served, want %d", i+1, got, step.fetched)
		}
	}
	wants(t, object(t, u.must(0, "verify", "out", "--json")),
		map[string]any{"samples": 500, "frames": 500, "duplicate": 0})
}

// A requests file and the flags that say the same give the same dataset.
func TestRequestsFileIsTheFlags(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	u.must(0, ask(0, 5, "--format-config", "JPEGQuality=30")...)
	u.write("r.yaml", "- StreamARN: "+u.server.StreamARN("cam")+
		"\n  start_timestamp: 1767225600\n  end_timestamp: 2026-01-01T00:05:00\n  format_config: {JPEGQuality: 30}\n")
	u.must(0, "backfill", "--requests", "r.yaml", "--sampling-interval", "3000", "--out", "other")
	sameTree(t, tree(t, u.dir+"/other"), tree(t, u.dir+"/out"))
}

// What fails for good fails the job, or with --keep-going becomes FAILED gaps,
// which the next backfill fetches.
func TestJobThatFails(t *testing.T) {
	t.Parallel()
	bad := newUser(t, kvstest.Config{
		Streams: []kvstest.Stream{camera("cam")},
		Faults:  []kvstest.Fault{{Kind: "endpoint_expired", Rate: 1}},
	})
	good := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	good.dir = bad.dir
	for _, runner := range []string{"prism", "direct"} {
		o := bad.run(ask(0, 10, "--json", "--runner", runner)...)
		wantOneLine(t, warned(t, o, runner), 1, "the job on runner "+runner+" failed: reading cam at 2026-01-01T00:0")
		wants(t, object(t, o.stdout), map[string]any{"samples": 200, "frames": 0})
	}
	o := bad.run(ask(0, 10, "--json", "--keep-going", "--log-level", "off")...)
	wantOneLine(t, o, 3, "out is not complete: 200 samples are FAILED gaps")
	wants(t, object(t, o.stdout), map[string]any{"samples": 200, "frames": 0, "gaps": `{"FAILED":200}`})
	wants(t, object(t, bad.must(3, "verify", "out", "--json")), map[string]any{"failed": 200, "complete": false})

	wants(t, object(t, good.must(0, ask(0, 10, "--json")...)), map[string]any{"frames": 200, "gaps": "{}"})
	good.must(0, "verify", "out")
}

// A dataset that cannot be written fails the job with the reason, and one that
// cannot be at all is found before anything is fetched.
func TestSinkThatFails(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	u.must(0, ask(0, 1)...)
	series, err := filepath.Glob(u.dir + "/out/shards/*")
	if err != nil || len(series) != 1 {
		t.Fatalf("the series are %v, %v", series, err)
	}
	for _, runner := range []string{"prism", "direct"} {
		shadow(t, series[0])
		o := u.run(ask(0, 10, "--runner", runner)...)
		wantOneLine(t, warned(t, o, runner), 1, "the job on runner "+runner+" failed: ")
	}
	shadow(t, u.dir+"/out/shards")
	if o := u.run(ask(0, 10)...); o.status != 2 ||
		!strings.Contains(o.stderr, `the dataset "out" cannot be changed: open out/shards: not a directory`) {
		t.Errorf("exit status %d; stderr:\n%s", o.status, o.stderr)
	}
}
