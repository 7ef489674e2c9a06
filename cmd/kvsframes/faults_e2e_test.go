//go:build e2e

package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestVerifyRepair: what is damaged is taken away, and the same backfill fetches
// that and nothing else.
func TestVerifyRepair(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	args := ask(0, 10, "--dataset-format", "webdataset", "--shard-samples", "20", "--json")
	u.must(0, args...)
	want := tree(t, filepath.Join(u.dir, "out"))
	shards, _ := filepath.Glob(filepath.Join(u.dir, "out", "shards", "*", "*.tar"))
	if len(shards) != 10 {
		t.Fatalf("%d shards", len(shards))
	}
	for _, path := range []string{shards[3], shards[7]} {
		if err := os.Truncate(path, 700); err != nil {
			t.Fatal(err)
		}
	}
	if o := u.run("verify", "out"); o.status != 3 || !strings.Contains(o.stdout, "2 corrupt") ||
		!strings.Contains(o.stderr, "verify --repair takes away what is damaged") {
		t.Errorf("verify: exit status %d; stdout:\n%s\nstderr:\n%s", o.status, o.stdout, o.stderr)
	}
	o := u.run("verify", "out", "--repair")
	if o.status != 3 || !strings.Contains(o.stdout, "Repaired: 2 files or shards") ||
		!strings.Contains(o.stdout, "removed with its receipt") || !strings.Contains(o.stdout, "  40 missing\n") ||
		!strings.Contains(o.stderr, "the same backfill fetches what is missing") {
		t.Errorf("verify --repair: exit status %d; stdout:\n%s\nstderr:\n%s", o.status, o.stdout, o.stderr)
	}
	images := u.server.Stats().Images
	wants(t, object(t, u.must(0, args...))["fetched"].(map[string]any), map[string]any{"samples": 40})
	if again := u.server.Stats().Images - images; again > 40+2*8 { // and the heads of two ranges
		t.Errorf("%d images were served again", again)
	}
	u.must(0, "verify", "out", "--repair")
	sameTree(t, tree(t, filepath.Join(u.dir, "out")), want)
	wantNoTmp(t, u)
}

// TestOverlappingBackfills: of two at once whose cuts overlap, one of them killed, the other
// one finds what they fetched twice and does not call it complete, nor does a later one; it is
// mended without another call.
func TestOverlappingBackfills(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{
		Streams: []kvstest.Stream{camera("cam")},
		Latency: kvstest.Latency{PerCall: 300 * time.Millisecond},
	})
	more := []string{"--dataset-format", "webdataset", "--shard-samples", "30", "--max-in-flight", "1", "--json"}
	first, second := ask(0, 10, more...), ask(1, 30, more...)
	cmd := u.start(first...)
	until(t, "a shard is written", func() bool { return receipts(u) >= 1 })
	cmd.Process.Signal(syscall.SIGSTOP) // it has planned, and does not see what the other one writes
	other := u.start(second...)
	until(t, "it is written to the end of the first one's range", func() bool {
		found, _ := filepath.Glob(filepath.Join(u.dir, "out", "ledger", "*", "20260101T000900000Z-30.json"))
		return len(found) > 0
	})
	other.Process.Kill()
	finish(t, other)
	cmd.Process.Signal(syscall.SIGCONT)
	told := finish(t, cmd)
	for _, o := range []outcomeOf{told, u.run(first...)} {
		const want = "20 samples are recorded more than once: kvsframes verify --repair leaves each of them once"
		if o.status != 3 || !strings.Contains(o.stderr, want) {
			t.Errorf("the first backfill: exit status %d, want 3 and %q; stderr:\n%s", o.status, want, o.stderr)
		}
		wants(t, object(t, o.stdout), map[string]any{"duplicates": 20, "complete": false})
	}
	calls := u.server.Stats().GetImagesCalls
	wants(t, object(t, u.must(3, "verify", "out", "--json")), map[string]any{
		"samples": 600, "duplicate": 20, "corrupt": 0, "damaged": 0, "complete": false,
	})
	wants(t, object(t, u.must(3, "verify", "out", "--repair", "--json")), map[string]any{
		"samples": 600, "duplicate": 0, "complete": false, "repaired": 1,
	})
	wants(t, object(t, u.must(0, first...)), map[string]any{"complete": true})
	if again := u.server.Stats().GetImagesCalls; again != calls {
		t.Errorf("%d calls were made again", again-calls)
	}
	u.must(0, second...)
	wants(t, object(t, u.must(0, "verify", "out", "--json")),
		map[string]any{"samples": 600, "frames": 600, "complete": true})
}

// TestFilesTooLarge is what a user meets whose files may only be so large: a
// quota is another.
func TestFilesTooLarge(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	args := ask(0, 10, "--dataset-format", "webdataset")
	limited := &running{Cmd: exec.Command("sh",
		append([]string{"-c", `ulimit -f 16; exec "$0" "$@"`, binary()}, args...)...), began: time.Now()}
	limited.Dir, limited.Env, limited.Stdout, limited.Stderr = u.dir, u.env, &limited.stdout, &limited.stderr
	if err := limited.Start(); err != nil {
		t.Fatal(err)
	}
	wantOneLine(t, finish(t, limited), 1, "file too large")
	wants(t, object(t, u.must(3, "verify", "out", "--json")),
		map[string]any{"shards": 0, "corrupt": 0, "damaged": 0, "missing": 200})
	u.must(0, args...)
	u.must(0, "verify", "out")
}

// TestBadStore: a store that says "slow down", cuts uploads and takes its time has
// the same dataset in the end; one that refuses in mid-job fails the job, and
// nothing is lost.
func TestBadStore(t *testing.T) {
	t.Parallel()
	u, args := slowly(t)
	args = append(args, "--dataset-format", "parquet")
	u.must(0, args...)
	want := tree(t, filepath.Join(u.dir, "out"))

	u, _ = slowly(t)
	var requests, refused atomic.Int64
	var refuses atomic.Bool
	b := newBucketBehind(t, func(store http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n := requests.Add(1)
			switch write := r.Method == http.MethodPut; {
			case write && refuses.Load() && strings.Contains(r.URL.Path, "/shards/"):
				refused.Add(1)
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, "<Error><Code>AccessDenied</Code></Error>")
			case n%50 == 7:
				w.WriteHeader(http.StatusServiceUnavailable)
				io.WriteString(w, "<Error><Code>SlowDown</Code></Error>")
			case write && n%50 == 23:
				io.CopyN(io.Discard, r.Body, 100)
				panic(http.ErrAbortHandler)
			default:
				time.Sleep(20 * time.Millisecond) // it is slow, nobody waits for it
				store.ServeHTTP(w, r)
			}
		})
	})
	u, args = generic(u), append(args, "--out", b.out)
	refuses.Store(true)
	wantOneLine(t, u.run(args...), 1, "AccessDenied: look at the credentials and at what they may do")
	if refused.Load() == 0 {
		t.Error("nothing was refused")
	}
	wants(t, object(t, u.must(3, "verify", b.out, "--json")),
		map[string]any{"corrupt": 0, "duplicate": 0, "damaged": 0, "missing": 200})
	refuses.Store(false)
	u.must(0, args...)
	sameTree(t, b.tree(), want)
	u.must(0, "verify", b.out)
}
