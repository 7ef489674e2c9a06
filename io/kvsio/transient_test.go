package kvsio_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// What fails in passing changes no sample: with faults or without, whatever the
// camera's frame rate, each sample is the picture, or the gap, that it is.
//
// It tries as many worlds as -rapid.checks says, 100 by default.
func TestTransientFaultsChangeNothing(t *testing.T) {
	defer kvsio.AttemptsAtOnce()()
	rapid.Check(t, checkTransientFaults)
}

func checkTransientFaults(t *rapid.T) {
	config, asked := drawWorld(t)
	want := fetchWorld(t, config, asked)
	config.Faults = drawFaults(t)
	got := fetchWorld(t, config, asked)
	if len(got) != len(want) {
		t.Fatalf("%d samples, want %d", len(got), len(want))
	}
	// A TimeStamp that is a little off is as good as another, where the camera
	// may have a frame then. The picture is the same.
	tolerance := int64(0)
	if slices.ContainsFunc(config.Faults, func(f kvstest.Fault) bool { return f.Kind == "shifted_timestamp" }) {
		tolerance = max(asked.SamplingInterval, 20*time.Second).Milliseconds() * 4 / 10
	}
	for ms, w := range want {
		g := got[ms]
		if off := g.imageMs - w.imageMs; !bytes.Equal(g.picture, w.picture) || g.gap != w.gap || max(off, -off) > tolerance {
			t.Fatalf("the sample at %s is %v, want %v", time.UnixMilli(ms).UTC().Format(time.RFC3339Nano), g, w)
		}
	}
}

// outcome is what became of a sample.
type outcome struct {
	picture []byte
	imageMs int64
	gap     string // reason and cause
}

func (o outcome) String() string {
	if o.picture == nil {
		return "a gap " + o.gap
	}
	return "the picture of " + time.UnixMilli(o.imageMs).UTC().Format(time.RFC3339Nano)
}

// drawWorld draws a camera and what is asked of it.
func drawWorld(t *rapid.T) (kvstest.Config, kvsio.Request) {
	cam := kvstest.Stream{
		Name: "cam", Width: 16, Height: 16, Quota: noQuota(),
		FrameRate: math.Exp(rapid.Float64Range(math.Log(0.05), math.Log(30)).Draw(t, "frame rate")),
		Fragment:  time.Duration(rapid.Int64Range(500, 20_000).Draw(t, "fragment")) * time.Millisecond,
	}
	if rapid.Bool().Draw(t, "round rate") {
		cam.FrameRate = rapid.SampledFrom([]float64{0.05, 0.1, 0.2, 0.5, 1, 2, 10, 25, 30}).Draw(t, "rate")
	}
	interval := time.Duration(rapid.Int64Range(200, 30_000).Draw(t, "interval")) * time.Millisecond
	if rapid.Bool().Draw(t, "round interval") {
		interval = rapid.SampledFrom([]time.Duration{1, 2, 3, 5, 10, 60}).Draw(t, "seconds") * time.Second
	}
	asked := kvsio.Request{
		StreamName: "cam", ImageSelectorType: kvsio.ProducerTimestamp, SamplingInterval: interval, Format: frame.JPEG,
		StartTimestamp: newYear.Add(time.Duration(rapid.Int64Range(0, 100_000).Draw(t, "start")) * time.Millisecond),
	}
	asked.EndTimestamp = asked.StartTimestamp.Add(interval * time.Duration(rapid.IntRange(1, 110).Draw(t, "samples")))
	for at := newYear.Add(-time.Minute); at.Before(asked.EndTimestamp); {
		at = at.Add(time.Duration(rapid.Int64Range(0, 60_000).Draw(t, "hole")) * time.Millisecond)
		to := at.Add(time.Duration(rapid.Int64Range(1, 900_000).Draw(t, "stretch")) * time.Millisecond)
		cam.Media = append(cam.Media, kvstest.Range{From: at, To: to})
		at = to
	}
	return kvstest.Config{
		Streams: []kvstest.Stream{cam}, Seed: rapid.Int64Range(1, 1<<40).Draw(t, "seed"),
		PageSize:     rapid.SampledFrom([]int{25, 25, 25, 100, 10, 3, 1}).Draw(t, "page size"),
		EndInclusive: new(rapid.Bool().Draw(t, "end inclusive")),
		TimeStamps:   rapid.SampledFrom([]string{"frame", "instant"}).Draw(t, "timestamps"),
	}, asked
}

// drawFaults draws kinds of faults that together hit 5 to 60 % of the calls.
func drawFaults(t *rapid.T) []kvstest.Fault {
	transient := slices.DeleteFunc(kvstest.FaultKinds(), func(kind string) bool {
		return kind == "stall" || kind == "throttle" // they cost time, and nothing else
	})
	kinds := rapid.SliceOfNDistinct(rapid.SampledFrom(transient), 1, 8, rapid.ID).Draw(t, "faults")
	rate := rapid.Float64Range(0.05, 0.6).Draw(t, "rate of faults")
	var faults []kvstest.Fault
	for _, kind := range kinds {
		faults = append(faults, kvstest.Fault{Kind: kind, Rate: rate / float64(len(kinds))})
	}
	return faults
}

// fetchWorld returns what became of the samples. A job that failed is done
// again: it has said so.
func fetchWorld(t *rapid.T, config kvstest.Config, asked kvsio.Request) map[int64]outcome {
	server := kvstest.NewServer(config)
	defer server.Close()
	p := paramsOf(server)
	p.MinInterval, p.ShardSamples, p.MaxInFlight = kvsio.LowestMinInterval, 50, 2
	for try := range 100 {
		samples, err := fetchOnce(t.Context(), p, asked)
		if err == nil {
			return samples
		}
		if len(config.Faults) == 0 || try == 99 {
			t.Fatalf("try %d: %v", try, err)
		}
	}
	return nil
}

func fetchOnce(ctx context.Context, p kvsio.ReadParams, asked kvsio.Request) (map[int64]outcome, error) {
	plan, err := kvsio.NewPlan(ctx, p, []kvsio.Request{asked})
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	samples := make(map[int64]outcome)
	err = kvsio.FetchAll(ctx, p, plan, func(shard frame.Shard) {
		mu.Lock()
		defer mu.Unlock()
		for _, f := range shard.Frames {
			samples[f.SampleMs] = outcome{picture: f.Data, imageMs: f.ImageMs}
		}
		for _, g := range shard.Gaps {
			samples[g.SampleMs] = outcome{gap: g.Reason + " " + g.Cause}
		}
	})
	return samples, err
}
