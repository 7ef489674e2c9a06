//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestVerifyPartlyCommand: a flipped bit of an old picture is found by a full verification alone,
// and what a partial one says is no more than it has looked at.
func TestVerifyPartlyCommand(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	u.must(0, ask(0, 20)...)
	shards, err := filepath.Glob(filepath.Join(u.dir, "out", "shards", "*", "*.tar"))
	if err != nil || len(shards) != 4 {
		t.Fatalf("the shards are %v, %v", shards, err)
	}
	slices.Sort(shards)
	data, err := os.ReadFile(shards[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(shards[0], data, 0o666); err != nil {
		t.Fatal(err)
	}
	before := tree(t, filepath.Join(u.dir, "out"))
	since, books := []string{"verify", "out", "--since", "2026-01-01T00:10:00Z"}, []string{"verify", "out", "--books"}
	wants(t, object(t, u.must(0, append(since, "--json")...)), map[string]any{
		"scope": `"since 2026-01-01T00:10:00.000Z"`, "unread": 2, "shards": 4, "frames": 400, "complete": true,
	})
	wants(t, object(t, u.must(0, append(books, "--json")...)), map[string]any{
		"scope": `"books"`, "unread": 4, "shards": 4, "frames": 400, "complete": true,
	})
	wants(t, object(t, u.must(3, "verify", "out", "--json")), map[string]any{
		"scope": "null", "unread": "null", "corrupt": 1, "complete": false,
	})
	if text := u.must(0, since...); !strings.HasPrefix(text, "Verified in part: nothing is wrong there: 400 samples: ") {
		t.Errorf("it says %s", text)
	}
	sameTree(t, tree(t, filepath.Join(u.dir, "out")), before)
	if err := os.Remove(shards[0]); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{since, books} {
		if o := u.run(args...); o.status != 3 || !strings.Contains(o.stdout, filepath.Base(shards[0])+": it is not there\n") {
			t.Errorf("%v: exit status %d, %s%s", args, o.status, o.stdout, o.stderr)
		}
	}
}
