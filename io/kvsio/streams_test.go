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

func init() { beam.RegisterDoFn(&streamOrder{}) }

// streamOrder notes whose shards come, in order.
type streamOrder struct{ Run string }

var ordered = struct {
	sync.Mutex
	of map[string][]string
}{of: map[string][]string{}}

func (o *streamOrder) ProcessElement(shard frame.Shard) {
	ordered.Lock()
	defer ordered.Unlock()
	ordered.of[o.Run] = append(ordered.of[o.Run], shard.Span.Series.StreamName)
}

// A stream whose quota is small holds up nobody, though the order of the work
// gives it every fourth turn.
func TestThrottledStreamHoldsUpNobody(t *testing.T) {
	t.Parallel()
	const shards = 24
	config := kvstest.Config{Streams: []kvstest.Stream{
		{Name: "slow", Media: day, Fragment: 3 * time.Second, Quota: &kvstest.Quota{MediaPoints: 10}},
	}}
	for i := range 3 {
		config.Streams = append(config.Streams, kvstest.Stream{
			Name: fmt.Sprint("fast-", i), Media: day,
			Fragment: 3 * time.Second, Quota: noQuota(),
		})
	}
	for _, runner := range runners {
		t.Run(runner, func(t *testing.T) {
			t.Parallel()
			server := kvstest.NewServer(config)
			defer server.Close()
			p := paramsOf(server)
			p.MaxInFlight, p.ShardSamples = 4, 5
			var requests []kvsio.Request
			for _, s := range config.Streams {
				requests = append(requests, request(s.Name, newYear, shards*15*time.Second))
			}
			pipeline, s := beam.NewPipelineWithRoot()
			beam.ParDo0(s, &streamOrder{Run: t.Name()}, kvsio.ReadShards(s, p, requests...))
			if _, err := beam.Run(context.Background(), runner, pipeline); err != nil {
				t.Fatal(err)
			}
			ordered.Lock()
			order := ordered.of[t.Name()]
			ordered.Unlock()
			if len(order) != 4*shards {
				t.Fatalf("%d shards", len(order))
			}
			fast := 0
			for i, name := range order {
				if name != "slow" {
					fast++
				} else if slow := i + 1 - fast; slow > shards/2 {
					if fast != 3*shards {
						t.Errorf("the fast streams had %d of %d shards when the slow one had half of its own", fast, 3*shards)
					}
					return
				}
			}
		})
	}
}

// The control plane's quotas are small: a stream is described and its data
// endpoint asked for once, by the preflight and all bundles together.
func TestControlPlaneIsAskedOnce(t *testing.T) {
	config := kvstest.Config{}
	var requests []kvsio.Request
	for i := range 3 {
		name := fmt.Sprint("cam-", i)
		config.Streams = append(config.Streams, kvstest.Stream{
			Name: name, Media: day, Fragment: 3 * time.Second,
			Quota: noQuota(),
		})
		requests = append(requests, request(name, newYear, 10*time.Minute))
	}
	server := kvstest.NewServer(config)
	defer server.Close()
	p := paramsOf(server)
	requests, err := kvsio.Check(t.Context(), p, requests)
	if err != nil {
		t.Fatal(err)
	}
	p.Works = 4
	if frames, _ := run(t, "prism", p, requests...); len(frames) != 600 {
		t.Fatalf("%d frames", len(frames))
	}
	if s := server.Stats(); s.DescribeStreamCalls != 3 || s.GetDataEndpointCalls != 3 {
		t.Errorf("%d streams were described and %d endpoints asked for, want 3", s.DescribeStreamCalls,
			s.GetDataEndpointCalls)
	}
}
