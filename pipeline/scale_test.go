package pipeline

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/internal/storetest"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// scale is a job as docs/scale.md reckons it. Its methods are the formulas there.
type scale struct {
	cameras, samples int64 // samples a camera
	shard            int64 // samples a shard
	inFlight         int64 // calls under way in a process
	name             int64 // bytes of a stream's name and of its ARN
}

func ceil(a, b int64) int64 { return (a + b - 1) / b }

func gcd(a, b int64) int64 {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

func (s scale) shards() int64    { return s.cameras * ceil(s.samples, s.shard) }
func (s scale) works() int64     { return min(max(s.shards()/(4*s.inFlight), 1), 1000) }
func (s scale) runs() int64      { return s.cameras + s.works() - gcd(s.cameras, s.works()) }
func (s scale) workBytes() int64 { return s.runs() * (60 + s.name) / s.works() }
func (s scale) jobBytes() int64  { return 12_000 + s.works()*s.workBytes()*16/9 }
func (s scale) calls() int64     { return s.shards() * ceil(s.shard, 25) }

// Blocks are what receipts are sealed in: 1,000 shards, and one more where the range begins
// inside one.
func (s scale) blocks() int64  { return s.cameras * ceil(ceil(s.samples, s.shard), s.block()) }
func (s scale) block() int64   { return min(100_000/s.shard, 1000) }
func (s scale) objects() int64 { return s.shards() + 2*s.blocks() + s.cameras + 3 }

// Requests to a store: of a first backfill, and of one that finds all there. A block's list
// has up to a hundred names at first, and then a thousand more.
func (s scale) lists() int64 {
	pages := ceil(max(min(s.block(), ceil(s.samples, s.shard))-100, 0), 1000)
	return 2*s.shards() + 2*s.blocks()*(3+pages) + 12*s.cameras + 7 + ceil(s.blocks(), 1000)
}
func (s scale) reads() int64      { return s.shards() + 2*s.blocks() + s.cameras + 11 }
func (s scale) writes() int64     { return 2*s.shards() + 2*s.blocks() + s.cameras + 4 }
func (s scale) removes() int64    { return s.blocks() + 1 }
func (s scale) listsAgain() int64 { return 11*s.cameras + 6 + ceil(s.blocks(), 1000) }
func (s scale) readsAgain() int64 { return 2*s.cameras + 10 }

// near reports whether a formula gives what is, within a share of it.
func near(t *testing.T, what string, formula, is int64, within float64) {
	t.Helper()
	if math.Abs(float64(formula-is)) > within*float64(is) {
		t.Errorf("%s: the formula gives %d, and it is %d", what, formula, is)
	}
}

// month is what docs/scale.md is about: 1,000 cameras for 30 days, an image every
// 3 s.
func month() (scale, Options) {
	o := Options{Runner: "dataflow"}
	for i := range 1000 {
		o.Requests = append(o.Requests, kvsio.Request{
			StreamARN:         fmt.Sprintf("arn:aws:kinesisvideo:eu-west-1:111122223333:stream/camera-%04d/1672531200000", i),
			ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: start, EndTimestamp: start.AddDate(0, 0, 30),
			SamplingInterval: 3 * time.Second, Format: frame.JPEG,
		})
	}
	name := int64(len(o.Requests[0].StreamARN) + len("camera-0000"))
	return scale{cameras: 1000, samples: 864_000, shard: 100, inFlight: 32, name: name}, o
}

// TestScale: planning a month of a thousand cameras takes little, the formulas of
// docs/scale.md give what the planner gives, and its figures are theirs.
func TestScale(t *testing.T) {
	s, o := month()
	o.Read.Runner = o.Runner
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	plan, err := kvsio.NewPlan(t.Context(), o.Read, o.Requests)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; took > 10*time.Second || allocated > 500<<20 {
		t.Errorf("planning took %v and %d bytes", took, allocated)
	}
	var runs, largest, bytes int64
	for _, w := range plan.Works {
		runs += int64(len(w.Runs))
		bytes += int64(proto.Size(w))
		largest = max(largest, int64(proto.Size(w)))
	}
	near(t, "shards", s.shards(), plan.Shards, 0)
	near(t, "works", s.works(), int64(len(plan.Works)), 0)
	near(t, "runs", s.runs(), runs, 0)
	near(t, "bytes of a work", s.workBytes(), largest, 0.15)
	job := int64(proto.Size(model(t, o, plan)))
	near(t, "bytes of the job", s.jobBytes(), job, 0.15)
	t.Logf("%d runs, %d bytes a work, %d in all, a job of %d bytes, planned in %v", runs, largest, bytes, job, took)

	text, err := os.ReadFile("../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	larger := s
	larger.shard = 1000
	for _, row := range []struct {
		what    string
		formula func(scale) int64
	}{
		{"samples", func(s scale) int64 { return s.cameras * s.samples }},
		{"shards, and receipts", scale.shards},
		{"works", scale.works},
		{"runs", scale.runs},
		{"bytes of a work", scale.workBytes},
		{"bytes of the job", scale.jobBytes},
		{"GetImages calls", scale.calls},
		{"objects in the dataset", scale.objects},
		{"sealed files, and files of the index", scale.blocks},
		{"listing requests", scale.lists},
		{"reads", scale.reads},
		{"writes", scale.writes},
		{"removals", scale.removes},
		{"listing requests, all there", scale.listsAgain},
		{"reads, all there", scale.readsAgain},
	} {
		if want := fmt.Sprintf(" | %s | %s |", grouped(row.formula(s)),
			grouped(row.formula(larger))); !strings.Contains(string(text), "| "+row.what+" | ") ||
			!strings.Contains(string(text), want) {
			t.Errorf("docs/scale.md has no row | %s | …%s", row.what, want)
		}
	}
}

// grouped writes a number as documentation does: 12,345.
func grouped(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

// model is the job as a runner gets it.
func model(t *testing.T, o Options, plan *kvsio.Plan) proto.Message {
	t.Helper()
	p, s := beam.NewPipelineWithRoot()
	dataset.Write(s, dataset.WriteParams{Dir: "gs://archive/frames"}, kvsio.ReadPlan(s, o.Read, plan))
	edges, _, err := p.Build()
	if err != nil {
		t.Fatal(err)
	}
	env, err := graphx.CreateEnvironment(t.Context(), "beam:env:docker:v1",
		func(context.Context) string { return "image" })
	if err != nil {
		t.Fatal(err)
	}
	model, err := graphx.Marshal(edges, &graphx.Options{Environment: env})
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// asked counts what a store is asked for.
type asked struct {
	lists, reads, writes, removes atomic.Int64
	behind                        http.Handler
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Has("list-type"):
		a.lists.Add(1)
	case r.Method == http.MethodGet:
		a.reads.Add(1)
	case r.Method == http.MethodPut:
		a.writes.Add(1)
	case r.Method != http.MethodHead:
		a.removes.Add(1)
	}
	a.behind.ServeHTTP(w, r)
}

// TestScaleOfAStore: a small job costs the calls, the requests to a store and the objects
// that the formulas say.
func TestScaleOfAStore(t *testing.T) {
	for _, s := range []scale{
		{cameras: 1, samples: 400, shard: 100, inFlight: 32},
		{cameras: 3, samples: 400, shard: 100, inFlight: 32},
	} {
		var streams []kvstest.Stream
		o := Options{DatasetFormat: "webdataset", Runner: "direct"}
		o.Read.ShardSamples = int(s.shard)
		for i := range s.cameras {
			name := fmt.Sprint("camera-", i)
			streams = append(streams, kvstest.Stream{
				Name: name, Width: 160, Height: 90, Quota: &kvstest.Quota{}, Fragment: 3 * time.Second,
				Media: []kvstest.Range{{From: start, To: start.Add(2 * time.Hour)}},
			})
			o.Requests = append(o.Requests, kvsio.Request{
				StreamName: name, ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: start,
				EndTimestamp:     start.Add(time.Duration(3*s.samples) * time.Second),
				SamplingInterval: 3 * time.Second, Format: frame.JPEG,
			})
		}
		server := kvstest.NewServer(kvstest.Config{Streams: streams})
		defer server.Close()
		for _, entry := range server.Env() {
			name, value, _ := strings.Cut(entry, "=")
			t.Setenv(name, value)
		}
		backend := storetest.S3(t, "archive")
		store := &asked{behind: backend}
		front := httptest.NewServer(store)
		defer front.Close()
		o.Out = "s3://archive/frames?region=us-east-1&endpoint=" + front.URL
		if _, err := Backfill(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		near(t, "calls", s.calls(), int64(server.Stats().GetImagesCalls), 0)
		near(t, "objects", s.objects(), int64(len(backend.Objects(t, ""))), 0)
		near(t, "listing requests", s.lists(), store.lists.Swap(0), 0)
		near(t, "reads", s.reads(), store.reads.Swap(0), 0)
		near(t, "writes", s.writes(), store.writes.Swap(0), 0)
		near(t, "removals", s.removes(), store.removes.Swap(0), 0)
		if _, err := Backfill(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		near(t, "listing requests, all there", s.listsAgain(), store.lists.Load(), 0)
		near(t, "reads, all there", s.readsAgain(), store.reads.Load(), 0)
	}
}
