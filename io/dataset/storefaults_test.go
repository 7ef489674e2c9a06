package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// onNetworks runs a test in a place of each kind that is reached by a network.
func onNetworks(t *testing.T, test func(t *testing.T, where func(testing.TB) spot)) {
	for kind, where := range map[string]func(testing.TB) spot{"s3": spots["s3"], "gs": spots["gs"]} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, where)
		})
	}
}

// answer ends a request as a store that is in trouble.
func answer(w http.ResponseWriter, status int, code string) bool {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>as a test wants</Message></Error>", code)
	return true
}

// once says true the first time that it is asked for a request.
func once() func(r *http.Request) bool {
	var mu sync.Mutex
	seen := make(map[string]bool)
	return func(r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		key := r.Method + r.URL.Path
		was := seen[key]
		seen[key] = true
		return !was
	}
}

func isWrite(r *http.Request) bool { return r.Method == http.MethodPut || r.Method == http.MethodPost }

// cutAnswer answers half of what the store does, and hangs up.
func cutAnswer(w http.ResponseWriter, r *http.Request, behind http.Handler) {
	whole := &recorded{header: make(http.Header)}
	behind.ServeHTTP(whole, r)
	for name, values := range whole.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", fmt.Sprint(whole.body.Len()))
	w.WriteHeader(max(whole.status, http.StatusOK))
	w.Write(whole.body.Bytes()[:whole.body.Len()/2])
	w.(http.Flusher).Flush()
	hangUp(w)
}

func hangUp(w http.ResponseWriter) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		conn.Close()
	}
}

type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorded) Header() http.Header            { return r.header }
func (r *recorded) WriteHeader(status int)         { r.status = status }
func (r *recorded) Write(data []byte) (int, error) { return r.body.Write(data) }

// TestStoreRefuses: a store that does not allow it is an error that says so, and
// nothing is left.
func TestStoreRefuses(t *testing.T) {
	refuse := func(w http.ResponseWriter, _ *http.Request) bool {
		return answer(w, http.StatusForbidden, "AccessDenied")
	}
	onNetworks(t, func(t *testing.T, where func(testing.TB) spot) {
		s := where(t)
		for when, meet := range map[string]func(http.ResponseWriter, *http.Request) bool{
			"all": refuse,
			"writes": func(w http.ResponseWriter, r *http.Request) bool {
				return isWrite(r) && refuse(w, r)
			},
		} {
			s.front.Set(meet)
			_, err := Create(t.Context(), s.name, Options{})
			if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "credentials") ||
				!strings.Contains(err.Error(), "://bucket/some/prefix/dataset.json") {
				t.Errorf("%s: %v", when, err)
			}
			if err != nil && strings.Contains(err.Error(), "test-secret") {
				t.Errorf("%s: it tells a secret: %v", when, err)
			}
			s.front.Set(nil)
			if files := s.files(t); len(files) > 0 {
				t.Errorf("%s: left are %v", when, files)
			}
		}
	})
}

// TestRefusedInTheMiddle: a shard whose last object, or receipt, cannot be
// written has no receipt; and a store that refuses to be read is no dataset that
// is damaged.
func TestRefusedInTheMiddle(t *testing.T) {
	for _, where := range []string{"front~door_20260101T000003000Z.jpg", "ledger"} {
		t.Run(where, func(t *testing.T) {
			s := createAt(t, spots["s3"], Options{})
			write(t, s.name, shardOf(door, 0, "ggg"))
			s.front.Set(func(w http.ResponseWriter, r *http.Request) bool {
				return isWrite(r) && strings.Contains(r.URL.Path, where) && answer(w, http.StatusForbidden, "AccessDenied")
			})
			_, err := writer(t, s.name).Write(context.Background(), shardOf(door, 0, "fff"))
			if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), where) {
				t.Errorf("the error is %v", err)
			}
			if receipt, err := ledger.Open(s.name).Ask(t.Context(), shardOf(door, 0, "fff").Span); receipt != nil || err != nil {
				t.Errorf("there is a receipt (%v)", err)
			}
		})
	}
	s := createAt(t, spots["s3"], Options{})
	write(t, s.name, shardOf(door, 0, "fff"))
	s.front.Set(func(w http.ResponseWriter, r *http.Request) bool {
		return strings.Contains(r.URL.Path, "Z.jpg") && answer(w, http.StatusForbidden, "AccessDenied")
	})
	if report, err := opened(t, s.name).Verify(context.Background(), VerifyOptions{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Verify = %+v, %v", report, err)
	}
}

func TestNoBucket(t *testing.T) {
	onNetworks(t, func(t *testing.T, where func(testing.TB) spot) {
		name := strings.Replace(where(t).name, "//bucket/", "//bukket/", 1)
		for what, f := range map[string]func(context.Context, string, Options) (Options, error){
			"Check":  Check,
			"Create": makeOne,
		} {
			if _, err := f(t.Context(), name, Options{}); err == nil ||
				!strings.Contains(err.Error(), `there is no bucket "bukket"`) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// TestCancelledUpload: what is under way when a write is cancelled never appears.
func TestCancelledUpload(t *testing.T) {
	container.All["large"] = oneFile{}
	t.Cleanup(func() { delete(container.All, "large") })
	for format, shard := range map[string]frame.Shard{"files": shardOf(door, 0, "ff"), "large": shardOf(door, 0, "f")} {
		if format == "large" {
			shard.Frames[0].Data = append(shard.Frames[0].Data, make([]byte, 70<<20)...)
		}
		s := createAt(t, spots["s3"], Options{Format: format})
		want := s.files(t)
		ctx, cancel := context.WithCancel(context.Background())
		s.front.Set(func(w http.ResponseWriter, r *http.Request) bool {
			if !isWrite(r) {
				return false
			}
			io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done() // the client has gone
			return true
		})
		if _, err := writer(t, s.name).Write(ctx, shard); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the error is %v", format, err)
		}
		// The front stays: the server may begin only now with what was sent before the end.
		equalTrees(t, s.files(t), want, format)
	}
}

// TestUploadsInParts: a shard of a common size is one request, a large one has parts.
func TestUploadsInParts(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]func(puts int) bool{
		20 << 20: func(puts int) bool { return puts == 1 },
		70 << 20: func(puts int) bool { return puts > 1 },
	} {
		s := createAt(t, spots["s3"], Options{Format: "webdataset"})
		var puts atomic.Int32
		s.front.Set(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/shards/") {
				puts.Add(1)
			}
			return false
		})
		shard := shardOf(door, 0, "ff")
		shard.Frames[1].Data = append(shard.Frames[1].Data, make([]byte, size)...)
		write(t, s.name, shard)
		if n := int(puts.Load()); !want(n) {
			t.Errorf("a shard of %d bytes was written in %d requests", size, n)
		}
		if report, err := opened(t, s.name).Verify(t.Context(), VerifyOptions{}); err != nil || report.Frames != 2 ||
			report.Corrupt != 0 {
			t.Errorf("a shard of %d bytes: %+v, %v", size, report, err)
		}
	}
}

// TestUploadsOverlap: a store that takes its time is given many objects of a
// shard at once.
func TestUploadsOverlap(t *testing.T) {
	s := createAt(t, spots["s3"], Options{})
	var mu sync.Mutex
	waiting, together := 0, make(chan struct{})
	s.front.Set(func(_ http.ResponseWriter, r *http.Request) bool {
		if !isWrite(r) || !strings.HasSuffix(r.URL.Path, ".jpg") {
			return false
		}
		mu.Lock()
		if waiting++; waiting == store.UploadsAtOnce {
			close(together)
		}
		mu.Unlock()
		select {
		case <-together:
		case <-r.Context().Done():
		}
		return false
	})
	write(t, s.name, shardOf(door, 0, strings.Repeat("f", 2*store.UploadsAtOnce)))
}

// TestUnconditional: stores that know no conditional writes, and those that are
// not sure, have datasets too.
func TestUnconditional(t *testing.T) {
	for status, code := range map[int]string{
		http.StatusNotImplemented: "NotImplemented",
		http.StatusConflict:       "ConditionalRequestConflict",
	} {
		s := spots["s3"](t)
		first := once()
		s.front.Set(func(w http.ResponseWriter, r *http.Request) bool {
			return r.Header.Get("If-None-Match") != "" && (status != http.StatusConflict || first(r)) && answer(w, status, code)
		})
		if _, err := Create(t.Context(), s.name, Options{ShardSamples: 7}); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if ds, err := Open(t.Context(), s.name); err != nil || ds.Options().ShardSamples != 7 {
			t.Errorf("%s: %v, %v", code, ds, err)
		}
	}
}

// TestLongListings: a listing of more than one page is read to its end.
func TestLongListings(t *testing.T) {
	onNetworks(t, func(t *testing.T, where func(testing.TB) spot) {
		s := createAt(t, where, Options{})
		write(t, s.name, shardOf(door, 0, "n"))
		var pages atomic.Int32
		s.front.Set(func(_ http.ResponseWriter, r *http.Request) bool {
			if query := r.URL.Query(); query.Has("prefix") {
				query.Set("max-keys", "10")   // S3
				query.Set("maxResults", "10") // Google
				r.URL.RawQuery = query.Encode()
				pages.Add(1)
			}
			return false
		})
		const more = 25
		for i := range int64(more) {
			s.put(t, receiptPath(frame.Span{Series: door, First: first + 1 + i, Samples: 1}), "{")
		}
		pages.Store(0)
		if files, err := ledger.Open(s.name).Files(t.Context(), door); len(files.Loose) != more+1 || err != nil {
			t.Errorf("%d entries, %v", len(files.Loose), err)
		}
		if n := pages.Load(); n != 3+1 { // and one of no sealed receipts
			t.Errorf("they came in %d pages", n)
		}
	})
}
