//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// waiting starts a command that is to wait for another one, and returns when it does.
func (u *user) waiting(args ...string) *running {
	u.t.Helper()
	path := filepath.Join(u.t.TempDir(), "stderr")
	file, err := os.Create(path)
	if err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() { file.Close() })
	r := &running{Cmd: u.command(args...), began: time.Now()}
	r.Stdout, r.Stderr = &r.stdout, file
	if err := r.Start(); err != nil {
		u.t.Fatal(err)
	}
	until(u.t, "it waits", func() bool {
		said, _ := os.ReadFile(path)
		return strings.Contains(string(said), "waiting up to 1h0m0s for its end")
	})
	return r
}

// TestTwoNights: who comes while another backfill is under way is told of it, and runs beside it, or waits: for
// the end of who lives, and not at all for who was killed. Nothing is left of either.
func TestTwoNights(t *testing.T) {
	t.Parallel()
	undisturbed, args := slowly(t)
	undisturbed.must(0, args...)
	least := undisturbed.server.Stats().Images
	want := tree(t, filepath.Join(undisturbed.dir, "out"))
	for _, test := range []struct {
		name   string
		signal os.Signal
		most   int // images
	}{
		{"ends", syscall.SIGCONT, least},
		{"is killed", syscall.SIGKILL, 2 * least},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u, args := slowly(t)
			first := u.start(args...)
			until(t, "shards are written", func() bool { return receipts(u) >= 3 })
			first.Process.Signal(syscall.SIGSTOP) // so that it is under way as long as the test likes

			o := u.run(append(args, "--wait", "1ms", "--json")...)
			problem := object(t, o.stdout)["error"].(map[string]any)
			wants(t, problem, map[string]any{"kind": `"busy"`, "streams": "[]"})
			if o.status != 1 || !strings.Contains(o.stderr, "which had not ended after 1ms: run the same command again "+
				"later, or with a longer --wait") || !strings.Contains(o.stderr, "Nothing was done") {
				t.Errorf("it waited in vain, and its exit status is %d:\n%s", o.status, o.stderr)
			}

			second := u.waiting(append(args, "--wait", "1h", "--json")...)
			first.Process.Signal(test.signal)
			o = finish(t, second)
			wants(t, object(t, o.stdout), map[string]any{"status": `"complete"`, "samples": 200, "beside": "null"})
			if first.Wait(); o.status != 0 {
				t.Errorf("exit status %d", o.status)
			}
			if n := u.server.Stats().Images; n > test.most {
				t.Errorf("%d images were served, %d at most were to be", n, test.most)
			}
			sameTree(t, tree(t, filepath.Join(u.dir, "out")), want)
			wantNoTmp(t, u)
		})
	}
	t.Run("runs beside", func(t *testing.T) {
		t.Parallel()
		u, args := slowly(t)
		first := u.start(args...)
		until(t, "shards are written", func() bool { return receipts(u) >= 3 })
		first.Process.Signal(syscall.SIGSTOP)
		o := u.run(append(args, "--json")...)
		beside, _ := object(t, o.stdout)["beside"].(map[string]any)
		wants(t, beside, map[string]any{"pid": first.Process.Pid})
		wantOneLine(t, o, 0, `is being backfilled by process `)
		first.Process.Signal(syscall.SIGCONT)
		if o := finish(t, first); o.status != 0 {
			t.Errorf("the first one's exit status is %d:\n%s", o.status, o.stderr)
		}
		sameTree(t, tree(t, filepath.Join(u.dir, "out")), want)
		wantNoTmp(t, u)
	})
}
