//go:build e2e

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestRemoveCommand: what is removed leaves the dataset that a backfill without it makes, byte
// for byte, in a folder and in a bucket; without --yes nothing changes.
func TestRemoveCommand(t *testing.T) {
	t.Parallel()
	u := generic(newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam"), camera("yard")}}))
	b, never := newBucket(t), newBucket(t)
	fetch := func(from, to int, out string) {
		u.must(0, ask(from, to, "--stream-name", "yard", "--out", out)...)
		u.must(0, ask(from, to, "--sampling-interval", "6s", "--out", out)...)
	}
	fetch(0, 10, "out")
	fetch(0, 10, b.out)
	fetch(0, 2, never.out)
	fetch(7, 10, never.out)
	part := func(out string, more ...string) []string {
		return append([]string{
			"remove", out, "--stream-name", "cam", "--stream-name", "yard",
			"--start-timestamp", "2026-01-01T00:02:00Z", "--end-timestamp", "2026-01-01T00:07:00Z",
		}, more...)
	}

	before := tree(t, filepath.Join(u.dir, "out"))
	text := u.must(0, part("out")...)
	if !strings.Contains(text, "out: this would go: 250 samples, 250 frames, ") ||
		!strings.Contains(text, ", in 5 shards (5 cut)\n") ||
		!strings.Contains(text, "cam, every 6s, from 2026-01-01T00:02:00.000Z to 2026-01-01T00:06:54.000Z: 50 samples") ||
		!strings.Contains(text, "Nothing was changed. The same command with --yes removes it for good.\n") {
		t.Errorf("it says\n%s", text)
	}
	sameTree(t, tree(t, filepath.Join(u.dir, "out")), before)
	wants(t, object(t, u.must(0, part("out", "--json")...)), map[string]any{
		"schema": `"kvsframes.remove/1"`, "dataset": `"out"`, "done": false, "samples": 250, "frames": 250, "cut": 5,
	})
	wants(t, object(t, u.must(0, part(b.out, "--yes", "--json")...)), map[string]any{"done": true, "samples": 250})
	if text := u.must(0, part("out", "--yes")...); !strings.HasPrefix(text, "out: removed: 250 samples, ") {
		t.Errorf("it says\n%s", text)
	}
	sameTree(t, b.tree(), never.tree())
	sameTree(t, tree(t, filepath.Join(u.dir, "out")), never.tree())
	u.must(0, "verify", "out")

	o := u.run(part("out", "--yes")...)
	if o.status != 2 || !strings.Contains(o.stderr, "out has nothing of cam, yard at that time\n") || o.stdout != "" {
		t.Errorf("exit status %d, %s%s", o.status, o.stdout, o.stderr)
	}
	sealed, err := filepath.Glob(filepath.Join(u.dir, "out", "sealed", "cam_*", "*"))
	for _, file := range sealed {
		err = errors.Join(err, os.Remove(file))
	}
	if err != nil {
		t.Fatal(err)
	}
	text = u.must(0, "remove", "out", "--stream-name", "cam")
	if !strings.Contains(text, "4 more shards of pictures that no receipt knows of") ||
		!strings.Contains(text, "kvsframes index out, ") {
		t.Errorf("it says\n%s", text)
	}
	u.must(0, "remove", "out", "--stream-name", "cam", "--yes")
	for name := range tree(t, filepath.Join(u.dir, "out")) {
		if strings.Contains(name, "cam_") {
			t.Errorf("%s is there", name)
		}
	}
	u.must(0, "verify", "out")
}
