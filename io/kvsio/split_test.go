package kvsio_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// bundles counts shards and the bundles that they came in. One work is one
// bundle, unless it was split.
type bundles struct {
	Run    string
	shards int
}

var bundled = struct {
	mu     sync.Mutex
	shards map[string]map[frame.Span]int
	count  map[string]int
}{shards: map[string]map[frame.Span]int{}, count: map[string]int{}}

func init() { beam.RegisterDoFn(&bundles{}) }

func (b *bundles) StartBundle() { b.shards = 0 }

func (b *bundles) ProcessElement(shard frame.Shard) {
	bundled.mu.Lock()
	defer bundled.mu.Unlock()
	if b.shards++; b.shards == 1 {
		bundled.count[b.Run]++
	}
	if bundled.shards[b.Run] == nil {
		bundled.shards[b.Run] = make(map[frame.Span]int)
	}
	bundled.shards[b.Run][shard.Span]++
}

// However often prism splits, no call is made twice: a split takes only shards
// that nobody has started.
func TestSplitsCostNoCalls(t *testing.T) {
	for _, c := range []struct {
		inFlight, shards int
		latency          time.Duration // without it prism has no reason to split
	}{
		{1, 12, 200 * time.Millisecond},
		{16, 96, 500 * time.Millisecond},
		{64, 320, 600 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(c.inFlight, " in flight"), func(t *testing.T) {
			// Prism asks once, 200 ms after the start. Where the first claim comes
			// later than that, it never splits.
			for try := range 5 {
				run := fmt.Sprint(t.Name(), " try ", try)
				readSplit(t, run, c.inFlight, c.shards, c.latency)
				if bundled.count[run] > 1 {
					return
				}
			}
			t.Error("prism did not split")
		})
	}
}

func readSplit(t *testing.T, run string, inFlight, shards int, latency time.Duration) {
	t.Helper()
	server := kvstest.NewServer(kvstest.Config{
		Latency: kvstest.Latency{PerCall: latency},
		Streams: []kvstest.Stream{{Name: "cam", Media: day, Fragment: 3 * time.Second, Quota: noQuota()}},
	})
	defer server.Close()
	p := paramsOf(server)
	p.MaxInFlight, p.ShardSamples = inFlight, 2 // pictures take the stand-in time
	asked := request("cam", newYear, time.Duration(shards)*6*time.Second)
	if _, err := kvsio.Check(t.Context(), p, []kvsio.Request{asked}); err != nil { // it also warms up
		t.Fatal(err)
	}
	pipeline, s := beam.NewPipelineWithRoot()
	beam.ParDo0(s, &bundles{Run: run}, kvsio.ReadShards(s, p, asked))
	if _, err := beam.Run(context.Background(), "prism", pipeline); err != nil {
		t.Fatal(err)
	}
	for shard, n := range bundled.shards[run] {
		if n != 1 {
			t.Errorf("%v came %d times", shard, n)
		}
	}
	if n := len(bundled.shards[run]); n != shards {
		t.Errorf("%d shards, want %d", n, shards)
	}
	stats := server.Stats()
	if stats.GetImagesCalls != shards || stats.Images != 2*shards {
		t.Errorf("%d calls for %d images, want %d for %d", stats.GetImagesCalls, stats.Images, shards, 2*shards)
	}
	if stats.MaxConcurrent > inFlight {
		t.Errorf("%d calls at once", stats.MaxConcurrent)
	}
}
