//go:build flink

package pipeline

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/kvsframes/kvsframes/internal/storetest"
)

// TestFlinkSealing: a machine of a cluster of two is lost, its workers with it, while they seal
// receipts: before a file of sealed receipts is there, and before the receipts in it are gone. The
// job ends all the same, with the dataset of a job that was not disturbed, and no image is paid for
// twice.
func TestFlinkSealing(t *testing.T) {
	f := startFlink(t, "start", "2", "2")
	for _, test := range []struct {
		name, joins string
		halts       func(*http.Request) bool
	}{
		{"before a file is written", "taskmanager-3", func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".parquet")
		}},
		{"before receipts are removed", "taskmanager-4", func(r *http.Request) bool {
			return r.Method == http.MethodPost && r.URL.Query().Has("delete")
		}},
	} {
		t.Run(test.name, func(t *testing.T) { f.testLostSealing(t, test.joins, test.halts) })
	}
}

func (f *flink) testLostSealing(t *testing.T, joins string, halts func(*http.Request) bool) {
	const cams, minutes, shards = 8, 10, 8 * 20
	w := newWorld(t, cameras(cams, 0))
	store := storetest.S3(t, "archive")
	gate := &gate{behind: store, halts: halts, came: make(chan string, 1), lost: make(chan struct{})}
	front := httptest.NewServer(gate)
	t.Cleanup(front.Close)
	out := "s3://archive/frames?region=us-east-1&endpoint=" + front.URL

	var stdout, stderr bytes.Buffer
	cmd := w.start(&stdout, &stderr, append(ask(out, minutes, names(cams)...), f.on(4)...)...)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case machine := <-gate.came:
		if n := len(store.Objects(t, "frames/shards/")); n != shards {
			t.Errorf("%d shards are written when the first block is sealed, want %d", n, shards)
		}
		f.cluster(t, "kill", machine)
	case err := <-ended:
		t.Fatalf("nothing was sealed: %v\n%s", err, stderr.String())
	}
	close(gate.lost)
	f.cluster(t, "join", joins, "2")
	if err := <-ended; err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var got Summary
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil || !got.Complete || got.Unsealed != 0 {
		t.Errorf("%v: %s", err, stdout.String())
	}

	images := w.server.Stats().Images
	w.must(0, append(ask("want", minutes, names(cams)...), "--runner", "prism")...)
	if least := w.server.Stats().Images - images; images != least {
		t.Errorf("%d images were served, %d to one process", images, least)
	}
	objects, want := store.Objects(t, "frames/"), w.tree("want")
	for name, content := range want {
		if objects[name] != content {
			t.Errorf("%s differs, or is not there", name)
		}
	}
	if len(objects) != len(want) {
		t.Errorf("%d objects, want %d", len(objects), len(want))
	}
	w.must(0, "verify", out, "--json")
}

// gate is a store before which the worker waits that is the first to do something, until its
// machine is lost. What it waited with never comes.
type gate struct {
	behind http.Handler
	halts  func(*http.Request) bool
	came   chan string   // the machine's name
	lost   chan struct{} // closed when the machine is

	mu      sync.Mutex
	machine string
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m := workerName.FindStringSubmatch(r.UserAgent()); m != nil && g.halts(r) && g.isFirst(m[1]) {
		<-g.lost
		panic(http.ErrAbortHandler)
	}
	g.behind.ServeHTTP(w, r)
}

// isFirst reports whether a machine is the one that came first.
func (g *gate) isFirst(machine string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.machine == "" {
		g.machine = machine
		g.came <- machine
	}
	return g.machine == machine
}
