//go:build e2e

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

func (b bucket) receipts() int {
	n := 0
	for name := range b.tree() {
		if strings.HasPrefix(name, "ledger/") {
			n++
		}
	}
	return n
}

// TestBackfillIntoABucket: killed on the way, resumed and verified, a dataset in
// a bucket is the same as one in a folder.
func TestBackfillIntoABucket(t *testing.T) {
	t.Parallel()
	u, args := slowly(t)
	u.must(0, args...)
	want := tree(t, filepath.Join(u.dir, "out"))

	u, args = slowly(t)
	u, b := generic(u), newBucket(t)
	args = append(args, "--out", b.out)
	cmd := u.start(args...)
	until(t, "shards are written", func() bool { return b.receipts() >= 10 })
	cmd.Process.Kill()
	cmd.Wait()
	if n := b.receipts(); n >= 40 {
		t.Fatalf("%d shards were written before the kill", n)
	}
	wants(t, object(t, u.must(3, "verify", b.out, "--json")),
		map[string]any{"complete": false, "corrupt": 0, "duplicate": 0, "damaged": 0})
	summary := object(t, u.must(0, append(args, "--json")...))
	if summary["dataset"] != b.out || summary["skipped_shards"].(float64) < 10 {
		t.Errorf("the summary is %v", summary)
	}
	sameTree(t, b.tree(), want)
	wants(t, object(t, u.must(0, "verify", b.out, "--json")), map[string]any{"complete": true, "samples": 200})
	calls := u.server.Stats().GetImagesCalls
	wants(t, object(t, u.must(0, append(args, "--json")...)),
		map[string]any{"shards": 40, "skipped_shards": 40, "get_images_calls": 0})
	if again := u.server.Stats().GetImagesCalls; again != calls {
		t.Errorf("%d calls were made again", again-calls)
	}
	for _, text := range b.tree() {
		if strings.Contains(text, "127.0.0.1") {
			t.Error("an object tells where it was written")
			break
		}
	}
}

// TestBadPlaces: what is wrong with a place in a bucket is told before anything
// is fetched, and no secret with it.
func TestBadPlaces(t *testing.T) {
	t.Parallel()
	u, b := generic(newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})), newBucket(t)
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "<Error><Code>InvalidAccessKeyId</Code></Error>")
	}))
	t.Cleanup(refusing.Close)
	const secret = "wJalrXUtnFEMI"
	for _, test := range []struct{ out, want string }{
		{"az://archive/frames", `"az://" is no kind of place that is known: it must be a folder, file:///FOLDER, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX`},
		{"s3:///frames", "names no bucket: it must be s3://BUCKET/PREFIX"},
		{"s3:archive", "is followed by no //"},
		{"file://frames", "it must be file:///FOLDER"},
		{"s3://archive:9000/frames", "?endpoint="},
		{"s3://archive/a/../b", "none of its parts"},
		{"s3://AKIA:" + secret + "@archive/frames", "credentials are found"},
		{"s3://AKIA:" + secret + "/x@archive/frames", "cannot be read"},
		{"s3://archive/frames?aws_secret_access_key=" + secret, "credentials are found"},
		{"s3://archive/frames?" + secret + "=1", "after its ?"},
		{"s3://archive/frames?endpoint=http://x:" + secret + "@127.0.0.1", "endpoint in the s3:// URL must be a URL"},
		{"s3://archive/frames?regoin=x", "it may be of region, endpoint"},
		{"s3://archive/frames?region=eu-west-1&s3ForcePathStyle=perhaps", "s3ForcePathStyle"},
		{"s3://archive/frames?profile=nobody", "nobody"},
		{strings.Replace(b.out, "archive", "nowhere", 1), `there is no bucket "nowhere": make it first`},
		{"s3://archive/frames?region=eu-west-1&endpoint=" + refusing.URL, "InvalidAccessKeyId: look at the credentials"},
	} {
		for _, args := range [][]string{good("--out", test.out), {"verify", test.out}} {
			o, status := u.run(args...), 2
			if strings.Contains(test.want, "InvalidAccessKeyId") { // which may be renewed by itself
				status = 1
			}
			if o.status != status || o.stdout != "" || !strings.Contains(o.stderr, test.want) {
				t.Errorf("%v: exit status %d, want %d and %q; stdout %q; stderr:\n%s", args[0], o.status, status, test.want,
					o.stdout, o.stderr)
			}
			if strings.Contains(o.stderr, secret) {
				t.Errorf("%v tells a secret:\n%s", args[0], o.stderr)
			}
		}
	}
	if n := u.server.Stats().GetImagesCalls; n > 0 {
		t.Errorf("%d calls of GetImages were made", n)
	}
	if files := b.tree(); len(files) > 0 {
		t.Errorf("objects were made: %v", files)
	}
}

// TestStoreFailsAtTheStart: where a store fails before anything is fetched, what is said
// to be written is what is written, by a backfill and by a pack.
func TestStoreFailsAtTheStart(t *testing.T) {
	t.Parallel()
	u := generic(newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}}))
	u.must(0, good()...)
	const nothing, begun = "Nothing was done.", " was begun: what is written there stays"
	for _, test := range []struct {
		method, path string // what is refused
		pack         bool
		says         string
		first        bool // after the description has been written
	}{
		{"PUT", "/dataset.json", false, nothing, false},
		{"GET", "/dataset.json", false, begun, true},
		{"PUT", "/requests/", false, begun, false},
		{"GET", "ledger%2F", false, begun, true},
		{"PUT", "/pack.json", true, nothing, false},
		{"GET", "/pack.json", true, begun, true},
	} {
		var made atomic.Bool
		b := newBucketBehind(t, func(store http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				refused := r.Method == test.method && strings.Contains(r.URL.String(), test.path)
				if refused && (made.Load() || !test.first) {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				store.ServeHTTP(w, r)
				if r.Method == http.MethodPut {
					made.Store(true)
				}
			})
		})
		args := good("--out", b.out)
		if test.pack {
			args = []string{"pack", "out", b.out}
		}
		o := u.run(args...)
		if o.status != 2 || o.stdout != "" || !strings.Contains(o.stderr, test.says) ||
			strings.Contains(o.stderr, nothing) == strings.Contains(o.stderr, begun) {
			t.Errorf("%s %s: exit status %d, want %q:\n%s", test.method, test.path, o.status, test.says, o.stderr)
		}
		if files := b.tree(); (len(files) == 0) != (test.says == nothing) {
			t.Errorf("%s %s: %d objects were made", test.method, test.path, len(files))
		}
	}
}

// TestInterruptIntoABucket: interrupted, it ends soon, and what is written stays.
func TestInterruptIntoABucket(t *testing.T) {
	t.Parallel()
	u, args := slowly(t)
	u, b := generic(u), newBucket(t)
	args = append(args, "--out", b.out, "--json")
	cmd := u.start(args...)
	until(t, "shards are written", func() bool { return b.receipts() >= 3 })
	cmd.Process.Signal(os.Interrupt)
	o := finish(t, cmd)
	wantOneLine(t, o, 130, "interrupted: what is written stays")
	wants(t, object(t, o.stdout), map[string]any{"samples": 200})
	if o.took > 20*time.Second {
		t.Errorf("it took %v to end", o.took)
	}
	u.must(0, args...)
	u.must(0, "verify", b.out)
}

// TestInterruptAStoreThatHangs: a store that does not answer, at once or when it is
// asked for a list, holds up nobody who wants to leave.
func TestInterruptAStoreThatHangs(t *testing.T) {
	t.Parallel()
	u := generic(newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}}))
	for _, hangs := range []string{"", "list-type=2"} {
		asked := make(chan bool, 100)
		var on atomic.Bool
		b := newBucketBehind(t, func(store http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if on.Load() && strings.Contains(r.URL.RawQuery, hangs) {
					asked <- true
					<-r.Context().Done()
					return
				}
				store.ServeHTTP(w, r)
			})
		})
		u.must(0, good("--out", b.out)...)
		on.Store(true)
		for _, args := range [][]string{good("--out", b.out), {"verify", b.out}, {"index", b.out}} {
			cmd := u.start(append(args, "--json")...)
			<-asked
			cmd.Process.Signal(os.Interrupt)
			o := finish(t, cmd)
			if o.status != 130 || o.took > 10*time.Second {
				t.Errorf("%s: exit status %d after %v; stderr:\n%s", args[0], o.status, o.took, o.stderr)
			}
			wants(t, object(t, o.stdout), map[string]any{"status": `"interrupted"`})
		}
	}
}

// TestNoCredentialsForABucket: the region of a store is not that of the streams,
// and credentials are asked for by name.
func TestNoCredentialsForABucket(t *testing.T) {
	t.Parallel()
	u, b := generic(newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})), newBucket(t)
	nobody := u.with("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
	for _, args := range [][]string{good("--out", b.out), {"verify", b.out}} {
		if o := nobody.run(args...); o.status != 1 || !strings.Contains(o.stderr, "opening s3://archive/frames: no AWS "+
			"credentials") {
			t.Errorf("%s: exit status %d; stderr:\n%s", args[0], o.status, o.stderr)
		}
	}
	nowhere := strings.Replace(b.out, "region=eu-west-1&", "", 1)
	v := u.with("AWS_REGION", "AWS_DEFAULT_REGION")
	if o := v.run(good("--out", nowhere, "--aws-region", "us-east-1")...); o.status != 2 ||
		!strings.Contains(o.stderr, "no region is known: add ?region=REGION") {
		t.Errorf("exit status %d; stderr:\n%s", o.status, o.stderr)
	}
	v.must(0, good("--out", b.out, "--aws-region", "us-east-1")...)
}
