package pipeline

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/internal/storetest"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// How long a job takes, at how many seconds a call or a read.
func (s scale) quotaTime(share float64) float64 {
	return float64(s.samples) / (kvsio.DefaultStreamQuota * share)
}

func (s scale) callTime(workers int64, call float64) float64 {
	return float64(s.calls()) * call / float64(workers*s.inFlight)
}

func (s scale) sealTime(read float64) float64 { return float64(min(s.block(), s.shards())) * read / 32 }
func (s scale) cardTime(read float64) float64 { return float64(2*s.blocks()) * read / 32 }

// memory is what a shard takes of the budget.
func (s scale) memory(picture int64) int64 { return 5 * (s.shard + 4) * picture / 2 }

// TestScaleFigures: the times and sizes that docs/scale.md reckons are the formulas'.
func TestScaleFigures(t *testing.T) {
	s, _ := month()
	larger, between := s, s
	larger.shard, between.shard = 1000, 300
	quota, calls := s.quotaTime(kvsio.DefaultQuotaShare), s.callTime(20, 0.5)
	const megabyte, picture, budget = 1_000_000, 180_000, int64(kvsio.DefaultMemoryBudget)
	text, err := os.ReadFile("../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("By default 864,000 / %d = %.0f minutes", int(kvsio.DefaultStreamQuota*kvsio.DefaultQuotaShare),
			quota/60),
		fmt.Sprintf("With 20 workers, %d in flight and half a second a call: %s · 0.5 / %d = %.1f hours", s.inFlight,
			grouped(s.calls()), 20*s.inFlight, calls/3600),
		fmt.Sprintf("it takes %d workers", ceil(int64(20*calls), int64(quota))),
		fmt.Sprintf("At 20 ms a read a block takes %.1f seconds, and the card %.0f", s.sealTime(0.02), s.cardTime(0.02)),
		fmt.Sprintf("at 180 kB %d MB for N = 100, so that %d fit, and %d MB for N = 1,000, so that %d fit",
			s.memory(picture)/megabyte, budget/s.memory(picture), larger.memory(picture)/megabyte,
			budget/larger.memory(picture)),
		fmt.Sprintf("%d needs %d shards' memory, %.1f GB at N = 100, %.0f GB at N = 1,000. Between them, N = 300 is %.1f GB",
			s.inFlight, s.inFlight, float64(s.inFlight*s.memory(picture))/1e9, float64(s.inFlight*larger.memory(picture))/1e9,
			float64(s.inFlight*between.memory(picture))/1e9),
	} {
		if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), want) { // on however many lines
			t.Errorf("docs/scale.md does not say: %s", want)
		}
	}
	if s.inFlight != kvsio.DefaultMaxInFlight || s.shard != kvsio.DefaultShardSamples {
		t.Error("docs/scale.md is not about the defaults")
	}
}

// rounds answers calls so many at a time, when they are all there: a round takes as
// long as a call does, on however slow a machine.
type rounds struct {
	behind http.Handler
	counts func(*http.Request) bool
	size   int // calls of a round
	left   int // calls still to come

	mu           sync.Mutex
	gathering    chan struct{} // closed when the round begins
	waiting      int
	inside, most int // calls that are not answered
	begun        int // rounds
}

func newRounds(behind http.Handler, size, calls int, counts func(*http.Request) bool) *rounds {
	return &rounds{behind: behind, counts: counts, size: size, left: calls, gathering: make(chan struct{})}
}

func (r *rounds) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if r.counts(q) {
		r.mu.Lock()
		r.inside++
		r.most = max(r.most, r.inside)
		begins := r.gathering
		if r.waiting++; r.waiting == min(r.size, r.left) {
			close(begins)
			r.left -= r.waiting
			r.gathering, r.waiting = make(chan struct{}), 0
			r.begun++
		}
		r.mu.Unlock()
		defer func() {
			r.mu.Lock()
			r.inside--
			r.mu.Unlock()
		}()
		select {
		case <-begins:
		case <-q.Context().Done(): // whoever waits for too few has given up
			return
		}
	}
	r.behind.ServeHTTP(w, q)
}

// want says that all calls came, in so many rounds, and never more at once than one
// has.
func (r *rounds) want(t *testing.T, what string, begun int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun != begun || r.left != 0 || r.most > r.size {
		t.Errorf("%s: %d rounds, want %d; %d calls did not come; up to %d at once, want %d", what, r.begun, begun, r.left,
			r.most, r.size)
	}
}

// inRounds backfills from a stand-in whose calls come in rounds.
func inRounds(t *testing.T, s scale, stream kvstest.Stream, size int, o Options) (Summary, *rounds) {
	t.Helper()
	var streams []kvstest.Stream
	for i := range s.cameras {
		stream.Name = fmt.Sprint("camera-", i)
		stream.Quota, stream.Fragment = &kvstest.Quota{}, 3*time.Second
		stream.Media = []kvstest.Range{{From: start, To: start.Add(time.Hour)}}
		streams = append(streams, stream)
		o.Requests = append(o.Requests, kvsio.Request{
			StreamName: stream.Name, ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: start,
			EndTimestamp: start.Add(time.Duration(3*s.samples) * time.Second), SamplingInterval: 3 * time.Second,
			Format: frame.PNG,
		})
	}
	server := kvstest.NewServer(kvstest.Config{Streams: streams})
	t.Cleanup(server.Close)
	for _, entry := range server.Env() {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := newRounds(httputil.NewSingleHostReverseProxy(target), size, int(s.calls()), func(q *http.Request) bool {
		return strings.HasSuffix(q.URL.Path, "/getImages")
	})
	proxy := httptest.NewServer(front)
	t.Cleanup(proxy.Close)
	t.Setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", proxy.URL)
	o.Out, o.DatasetFormat, o.Runner = t.TempDir()+"/out", "webdataset", "direct"
	o.Read.StreamQuota, o.Read.CallTimeout = kvsio.UnknownQuota, 10*time.Second
	o.Read.MaxInFlight = int(s.inFlight)
	summary, err := Backfill(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return summary, front
}

// TestScaleOfTime: as many calls are under way as may be, from the first to the last.
func TestScaleOfTime(t *testing.T) {
	s := scale{cameras: 3, samples: 400, shard: 100, inFlight: 4}
	_, calls := inRounds(t, s, kvstest.Stream{Width: 16, Height: 16}, 4, Options{})
	calls.want(t, "calls", int(s.callTime(1, 1)))
}

// TestScaleOfMemory: so many shards fit into a budget as the formula says, to 2 %.
func TestScaleOfMemory(t *testing.T) {
	s := scale{cameras: 1, samples: 600, shard: 100, inFlight: 32}
	dir, picture := noise(t, 250, 200)
	for _, test := range []struct {
		percent int64
		fit     int
	}{{102, 3}, {98, 2}} {
		o := Options{}
		o.Read.MemoryBudget = 3 * s.memory(picture) * test.percent / 100
		summary, calls := inRounds(t, s, kvstest.Stream{Folder: dir}, test.fit, o)
		calls.want(t, fmt.Sprintf("%d %% of three shards", test.percent), int(s.calls())/test.fit)
		if summary.Fetched.Bytes != s.samples*picture {
			t.Errorf("pictures of %d bytes, want %d", summary.Fetched.Bytes/s.samples, picture)
		}
	}
}

// TestScaleOfReads: so many receipts are read at once to seal them, and so many sealed
// files for the card.
func TestScaleOfReads(t *testing.T) {
	s := scale{cameras: 1, samples: 6400, shard: 100, inFlight: 32}
	store := storetest.S3(t, "archive")
	var front http.Handler = store
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { front.ServeHTTP(w, r) }))
	defer server.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	out := "s3://archive/frames?region=us-east-1&endpoint=" + server.URL
	ds, err := dataset.Create(t.Context(), out, dataset.Options{ShardSamples: int(s.shard)})
	if err != nil {
		t.Fatal(err)
	}
	series := frame.Series{StreamName: "cam", ImageSelectorType: "PRODUCER_TIMESTAMP", IntervalMs: 3000, Format: frame.JPEG}
	if err := ds.Begin(t.Context(), frame.Span{Series: series, Samples: s.samples}); err != nil {
		t.Fatal(err)
	}
	put := func(first, samples int64) {
		t.Helper()
		span := frame.Span{Series: series, First: first, Samples: samples}
		receipt := &framepb.Receipt{
			Series: framepb.SeriesOf(series), First: first, Samples: int32(samples),
			Gaps: []*framepb.GapRun{{Samples: int32(samples), Reason: frame.NoMedia}},
		}
		if err := ds.Ledger().PutNew(t.Context(), receipt); err != nil {
			t.Fatal(span, err)
		}
	}
	for i := range s.shards() {
		put(100*i, 100)
	}
	reads := func(folder string) func(r *http.Request) bool {
		return func(r *http.Request) bool {
			return r.Method == http.MethodGet && strings.Contains(r.URL.Path, folder) && !r.URL.Query().Has("list-type")
		}
	}
	receipts := newRounds(store, 32, int(s.shards()), reads("/ledger/"))
	front = receipts
	if _, err := ds.Finish(t.Context(), dataset.FinishOptions{}); err != nil {
		t.Fatal(err)
	}
	receipts.want(t, "receipts", int(s.sealTime(1)))
	front = store
	for i := range int64(63) { // with the one that is there, files of 64 blocks
		put(200_000*(i+1), 100)
	}
	if _, err := ds.Finish(t.Context(), dataset.FinishOptions{}); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, server.URL+"/archive/frames/catalog.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := http.DefaultClient.Do(request); err != nil || answer.StatusCode >= 300 {
		t.Fatal(answer, err)
	}
	footers := newRounds(store, 32, 2*64, reads("/sealed/"))
	front = footers
	if _, err := ds.Finish(t.Context(), dataset.FinishOptions{}); err != nil {
		t.Fatal(err)
	}
	footers.want(t, "footers", int(scale{cameras: 1, samples: 64 * 200_000, shard: 100}.cardTime(1)))
}
