package kvsio

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// refusals are the answers that no call of a stream can get past.
var refusals = []struct {
	name, path string // of the calls that are refused
	status     int
	code       string
	mostCalls  int64 // of a job with 4 shards in flight, and some that the job before has left
}{
	{"missing", "", 404, "ResourceNotFoundException", 4},
	{"forbidden", "", 403, "AccessDeniedException", 4},
	{"images forbidden", "/getImages", 403, "NotAuthorizedException", 8 * (mostRefusals + 1)},
	{"no retention", "/getImages", 400, "NoDataRetentionException", 8},
}

// front stands before a stand-in, and refuses calls until mend.
type front struct {
	*httptest.Server
	mended  atomic.Bool
	refused atomic.Int64 // calls
}

func newFront(t *testing.T, path string, status int, code string) *front {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	behind := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name: "cam", Quota: &kvstest.Quota{}, Media: []kvstest.Range{{From: start, To: start.Add(24 * time.Hour)}},
	}}})
	target, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	f := &front{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.mended.Load() || !strings.HasSuffix(r.URL.Path, path) {
			proxy.ServeHTTP(w, r)
			return
		}
		f.refused.Add(1)
		w.Header().Set("x-amzn-ErrorType", code)
		w.WriteHeader(status)
		fmt.Fprint(w, `{"Message":"no"}`)
	}))
	t.Cleanup(func() {
		f.Close()
		transport.CloseIdleConnections()
		behind.Close()
	})
	return f
}

// readers are the ways in which a job reads, by name.
var readers = map[string]func(*testing.T, ReadParams, []Request) error{
	"direct":         func(t *testing.T, p ReadParams, r []Request) error { return runOn(t, "direct", p, r) },
	"retried bundle": runBundle,
}

// A verdict on a stream belongs to the job that met it. The next one in the same
// process reads what has been mended, and so does a bundle that is retried; one
// that meets the same again ends as soon.
func TestStreamLivesAgain(t *testing.T) {
	defer AttemptsAtOnce()()
	for _, refusal := range refusals {
		for runner, read := range readers {
			t.Run(refusal.name+" "+runner, func(t *testing.T) {
				f := newFront(t, refusal.path, refusal.status, refusal.code)
				p, requests := camOf(f)
				for try := range 2 {
					before := f.refused.Load()
					err := read(t, p, requests)
					if err == nil || !strings.Contains(err.Error(), refusal.code) {
						t.Fatalf("job %d: %v", try+1, err)
					}
					calls := f.refused.Load() - before
					if most := refusal.mostCalls; calls == 0 || calls > most {
						t.Errorf("job %d: %d calls were refused, want 1–%d", try+1, calls, most)
					}
				}
				f.mended.Store(true)
				before := counters.shards.Load()
				if err := read(t, p, requests); err != nil || counters.shards.Load()-before != 20 {
					t.Errorf("once it is mended: %d shards, %v", counters.shards.Load()-before, err)
				}
			})
		}
	}
}

// A job that keeps going learns once that a stream is missing, not once a shard.
func TestMissingStreamIsAskedForOnce(t *testing.T) {
	f := newFront(t, "", 404, "ResourceNotFoundException")
	p, requests := camOf(f)
	p.KeepGoing = true
	before := counters.gaps.Load()
	if err := runBundle(t, p, requests); err != nil || counters.gaps.Load()-before != 200 || f.refused.Load() != 1 {
		t.Errorf("%d gaps after %d calls: %v", counters.gaps.Load()-before, f.refused.Load(), err)
	}
}

// camOf asks for 20 shards of the stream behind a front.
func camOf(f *front) (ReadParams, []Request) {
	p := ReadParams{
		AWS: AWSParams{Region: "us-east-1", EndpointURL: f.URL}, PlanParams: PlanParams{ShardSamples: 10},
		MaxInFlight: 4, CallParams: CallParams{StreamQuota: UnknownQuota},
	}
	r := valid()
	r.StreamName, r.WidthPixels, r.HeightPixels = "cam", 160, 90
	r.EndTimestamp = r.StartTimestamp.Add(20 * 30 * time.Second)
	return p, []Request{r}
}

func runOn(t *testing.T, runner string, p ReadParams, requests []Request) error {
	t.Helper()
	pipeline, s := beam.NewPipelineWithRoot()
	ReadShards(s, p, requests...)
	_, err := beam.Run(t.Context(), runner, pipeline)
	return err
}

// runBundle reads as a runner calls the source, each time anew.
func runBundle(t *testing.T, p ReadParams, requests []Request) error {
	t.Helper()
	plan, err := NewPlan(t.Context(), p, requests)
	if err != nil {
		t.Fatal(err)
	}
	b := bundle{fn: &readFn{source{p}}, work: plan.Works[0]}
	b.rt = b.fn.CreateTracker(b.fn.CreateInitialRestriction(b.work))
	return b.process(context.Background(), func(frame.Shard) {})
}
