//go:build e2e

package main

import (
	"cmp"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

const inFlight = 4

// slowly is a backfill of 40 shards of 5 samples, one call each, so slow that it
// can be stopped on the way.
func slowly(t *testing.T) (*user, []string) {
	u := newUser(t, kvstest.Config{
		Streams: []kvstest.Stream{camera("cam")},
		Latency: kvstest.Latency{PerCall: 100 * time.Millisecond},
	})
	return u, ask(0, 10, "--shard-samples", "5", "--max-in-flight", "4", "--stream-quota", "0")
}

// receipts counts the shards that a dataset has.
func receipts(u *user) int {
	found, _ := filepath.Glob(filepath.Join(u.dir, "out", "ledger", "*", "*.json"))
	return len(found)
}

// wantNoTmp looks for the folder itself, which a tree does not show.
func wantNoTmp(t *testing.T, u *user) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(u.dir, "out", "tmp")); err == nil {
		t.Error("tmp is still there")
	}
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		runner string
		signal os.Signal
	}{{"prism", syscall.SIGINT}, {"direct", syscall.SIGTERM}, {"", syscall.SIGINT}} {
		t.Run(cmp.Or(test.runner, "default"), func(t *testing.T) {
			t.Parallel()
			u, args := slowly(t)
			args = append(args, "--json", "--runner", test.runner)
			cmd := u.start(args...)
			until(t, "shards are written", func() bool { return receipts(u) >= 3 })
			signalled := time.Now()
			cmd.Process.Signal(test.signal)
			o := finish(t, cmd)
			wantOneLine(t, warned(t, o, test.runner), 130, "interrupted: what is written stays")
			if took := time.Since(signalled); took > 5*time.Second {
				t.Errorf("it took %v to end", took)
			}
			got := object(t, o.stdout)
			wants(t, got, map[string]any{"samples": 200, "status": `"interrupted"`, "complete": false})
			wants(t, got["error"].(map[string]any), map[string]any{"kind": `"interrupted"`, "streams": "[]"})
			wants(t, object(t, u.must(3, "verify", "out", "--json")), map[string]any{
				"complete": false, "corrupt": 0, "duplicate": 0, "damaged": 0,
			})
			u.must(0, args...)
			u.must(0, "verify", "out")
			wantNoTmp(t, u)
		})
	}
}

// Interrupted before there is a job, it has written nothing.
func TestInterruptPreflight(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{})
	silent := silentListener(t)
	cmd := u.with("AWS_ENDPOINT_URL_KINESIS_VIDEO=http://" + silent.address).start(ask(0, 1)...)
	<-silent.called
	cmd.Process.Signal(os.Interrupt)
	wantOneLine(t, finish(t, cmd), 130, "interrupted")
	if _, err := os.Stat(filepath.Join(u.dir, "out")); err == nil {
		t.Error("a dataset was made")
	}
}

func TestKillAndResume(t *testing.T) {
	t.Parallel()
	undisturbed, args := slowly(t)
	undisturbed.must(0, args...)
	least := undisturbed.server.Stats().Images

	u, args := slowly(t)
	cmd := u.start(args...)
	until(t, "shards are written", func() bool { return receipts(u) >= 10 })
	cmd.Process.Kill()
	cmd.Wait()
	if n := receipts(u); n >= 40 {
		t.Fatalf("%d shards were written before the kill", n)
	}
	u.must(0, args...)
	u.must(0, "verify", "out")
	// What was in flight is paid for twice, and what waited to be written.
	perShard := least/40 + 1
	if images := u.server.Stats().Images; images > least+2*inFlight*perShard {
		t.Errorf("%d images were served, %d without a kill", images, least)
	}
	sameTree(t, tree(t, filepath.Join(u.dir, "out")), tree(t, filepath.Join(undisturbed.dir, "out")))
	wantNoTmp(t, u)
	wantNoTmp(t, undisturbed)
}

type silence struct {
	address string
	called  chan struct{}
}

// silentListener accepts calls and does not answer.
func silentListener(t *testing.T) silence {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := silence{l.Addr().String(), make(chan struct{})}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Read(make([]byte, 1))
		close(s.called)
		conn.Read(make([]byte, 1<<20))
		select {}
	}()
	return s
}
