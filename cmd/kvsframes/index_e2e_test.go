//go:build e2e

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestIndexCommand: a backfill that came to its end has written the index and the
// card, and the command writes the same again.
func TestIndexCommand(t *testing.T) {
	t.Parallel()
	cam := camera("cam")
	cam.MediaErrors = []kvstest.Range{{From: demoStart.Add(time.Minute), To: demoStart.Add(2 * time.Minute)}}
	u, b := generic(newUser(t, kvstest.Config{Streams: []kvstest.Stream{cam}})), newBucket(t)
	u.must(0, ask(0, 10)...)
	u.must(0, append(ask(0, 10), "--out", b.out)...)
	want := tree(t, filepath.Join(u.dir, "out"))
	sameTree(t, b.tree(), want)
	if !strings.Contains(want["dataset.json"], `"format":"webdataset"`) ||
		!strings.Contains(want["README.md"], "| cam | 2026-01-01 | 200 | 180 |") {
		t.Errorf("by default the dataset is %s, and its card\n%s", want["dataset.json"], want["README.md"])
	}
	ds, err := dataset.Open(context.Background(), filepath.Join(u.dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := ds.Recorded(context.Background())
	if len(recorded) != 1 || recorded[0].Samples != 200 || err != nil {
		t.Errorf("the dataset has %v, %v", recorded, err)
	}
	if files, _ := filepath.Glob(filepath.Join(u.dir, "out", "index", "*", "*.parquet")); len(files) != 1 {
		t.Errorf("the index has the files %v", files)
	}

	for _, name := range []string{"catalog.json", "README.md"} {
		if err := os.Remove(filepath.Join(u.dir, "out", name)); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, object(t, u.must(0, "index", "out", "--json")), map[string]any{
		"schema": `"kvsframes.index/1"`, "dataset": `"out"`, "samples": 200, "frames": 180, "gaps": `{"MEDIA_ERROR":20}`,
		"drops": "{}", "missing": 0, "card": true, "complete": true,
	})
	sameTree(t, tree(t, filepath.Join(u.dir, "out")), want)
	if text := u.must(0, "index", b.out); !strings.Contains(text, "200 samples: 180 frames, 20 gaps (MEDIA_ERROR 20)") {
		t.Errorf("it says %s", text)
	}
	sameTree(t, b.tree(), want)
	if report := object(t, u.must(0, "verify", "out", "--json")); len(report["problems"].([]any)) > 0 {
		t.Errorf("verify says %v", report["problems"])
	}

	u.write("out/README.md", "# Mine\n")
	if text := u.must(0, "index", "out"); !strings.Contains(text, "README.md was not written by kvsframes") {
		t.Errorf("it says %s", text)
	}
	if mine := tree(t, filepath.Join(u.dir, "out"))["README.md"]; mine != "# Mine\n" {
		t.Errorf("README.md is %q", mine)
	}
}

// TestIndexOfPart: a job that failed leaves the index as it was; the command adds what is
// there, and says that it is not all. So does a backfill that is not complete.
func TestIndexOfPart(t *testing.T) {
	t.Parallel()
	bad := newUser(t, kvstest.Config{
		Streams: []kvstest.Stream{camera("cam")},
		Faults:  []kvstest.Fault{{Kind: "endpoint_expired", Rate: 1}},
	})
	bad.must(1, ask(0, 10)...)
	o := bad.run("index", "out", "--json")
	wantOneLine(t, o, 3, "out is not complete: the same backfill fetches what is missing")
	wants(t, object(t, o.stdout), map[string]any{"samples": 200, "frames": 0, "missing": 200, "complete": false})
	bad.must(3, ask(0, 10, "--keep-going", "--log-level", "off")...)
	files := tree(t, filepath.Join(bad.dir, "out"))
	if !strings.Contains(files["README.md"], "| gaps, FAILED | 200 |") {
		t.Errorf("not complete, the card is\n%s", files["README.md"])
	}
	for text, args := range map[string][]string{
		`"nowhere" is not a kvsframes dataset`: {"index", "nowhere"},
		"0 folders are named":                  {"index"},
		"is no kind of place that is known":    {"index", "az://x"},
	} {
		if o := bad.run(args...); o.status != 2 || o.stdout != "" || !strings.Contains(o.stderr, text) {
			t.Errorf("%v: exit status %d, %s", args, o.status, o.stderr)
		}
	}
}
