//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestLostIndex: without its index a dataset is made whole from its shards. Only the shards
// with gaps are asked for again, by the same backfill or after kvsframes index.
func TestLostIndex(t *testing.T) {
	t.Parallel()
	cam := camera("cam")
	cam.MediaErrors = []kvstest.Range{{From: demoStart.Add(time.Minute), To: demoStart.Add(90 * time.Second)}}
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{cam, camera("door")}})
	gaps := ask(0, 10, "--shard-samples", "20", "--json")
	whole := slices.Clone(gaps)
	whole[slices.Index(whole, "cam")] = "door"
	u.must(0, gaps...)
	u.must(0, whole...)
	out := filepath.Join(u.dir, "out")
	want := tree(t, out)
	for _, step := range []struct {
		name            string
		index           bool
		args            []string
		samples, images int
	}{
		{"no gaps", false, whole, 0, 0},
		{"one shard with gaps", false, gaps, 10, 0},
		{"no gaps, after index", true, whole, 0, 0},
		{"one shard with gaps, after index", true, gaps, 10, 0},
	} {
		for _, folder := range []string{"index", "sealed"} {
			if err := os.RemoveAll(filepath.Join(out, folder)); err != nil {
				t.Fatal(err)
			}
		}
		if step.index {
			wants(t, object(t, u.run("index", "out", "--json").stdout), map[string]any{
				"frames": 390, "gaps": `{"FAILED":10}`, "missing": 0,
			})
		}
		images := u.server.Stats().Images
		wants(t, object(t, u.run(step.args...).stdout)["fetched"].(map[string]any), map[string]any{"samples": step.samples})
		if got := u.server.Stats().Images - images; got != step.images {
			t.Errorf("%s: %d images were served, want %d", step.name, got, step.images)
		}
		u.must(0, gaps...)
		sameTree(t, tree(t, out), want)
	}
	u.must(0, "verify", "out")
}
