package kvsio_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	beamwindow "github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	//lint:ignore SA1019 it is one of the two local runners that the source promises to run on
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/transforms/stats"
	"go.uber.org/goleak"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

func TestMain(m *testing.M) {
	beam.Init()
	// The stand-in's keys, in place of whoever runs the tests, and no authorities: it speaks plain HTTP.
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": "",
		"AWS_CA_BUNDLE": "",
	} {
		os.Setenv(name, value)
	}
	for name, do := range processes {
		if spec := os.Getenv(name); spec != "" {
			if err := do(spec); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		}
	}
	// Nothing that fetched may be left. Prism's own server outlives its jobs; and after
	// a job that failed on it, goroutines of Beam's worker may wait for each other's
	// locks (2.77).
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction(beamPath+"runners/prism/internal/jobservices.(*Server).Serve"),
		goleak.IgnoreAnyFunction(beamPath+"core/runtime/harness.(*DataChannelManager).closeInstruction"),
		goleak.IgnoreAnyFunction(beamPath+"core/runtime/harness.(*DataChannel).read"))
}

const beamPath = "github.com/apache/beam/sdks/v2/go/pkg/beam/"

var runners = []string{"prism", "direct"}

var (
	newYear = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	day     = []kvstest.Range{{From: newYear, To: newYear.Add(24 * time.Hour)}}
)

// collected is what pipelines of this process put out, by run.
var collected = struct {
	mu     sync.Mutex
	frames map[string][]frame.Frame
	gaps   map[string][]frame.Gap
	counts map[string][]int

	failures map[string][]kvsio.FailedRequest
}{
	frames: map[string][]frame.Frame{}, gaps: map[string][]frame.Gap{}, counts: map[string][]int{},
	failures: map[string][]kvsio.FailedRequest{},
}

type collectFrames struct{ Run string }

func (c *collectFrames) ProcessElement(f frame.Frame) {
	collected.mu.Lock()
	defer collected.mu.Unlock()
	collected.frames[c.Run] = append(collected.frames[c.Run], f)
}

type collectGaps struct{ Run string }

func (c *collectGaps) ProcessElement(g frame.Gap) {
	collected.mu.Lock()
	defer collected.mu.Unlock()
	collected.gaps[c.Run] = append(collected.gaps[c.Run], g)
}

type collectCounts struct{ Run string }

func (c *collectCounts) ProcessElement(_ string, n int) {
	collected.mu.Lock()
	defer collected.mu.Unlock()
	collected.counts[c.Run] = append(collected.counts[c.Run], n)
}

type collectFailures struct{ Run string }

func (c *collectFailures) ProcessElement(r kvsio.FailedRequest) {
	collected.mu.Lock()
	defer collected.mu.Unlock()
	collected.failures[c.Run] = append(collected.failures[c.Run], r)
}

type byWindow struct{}

func (*byWindow) ProcessElement(w beam.Window, f frame.Frame) string {
	return fmt.Sprint(f.Stream, " ", w.MaxTimestamp())
}

func init() {
	beam.RegisterDoFn(&collectFrames{})
	beam.RegisterDoFn(&collectGaps{})
	beam.RegisterDoFn(&collectCounts{})
	beam.RegisterDoFn(&collectFailures{})
	beam.RegisterDoFn(&byWindow{})
}

func request(stream string, from time.Time, d time.Duration) kvsio.Request {
	return kvsio.Request{
		StreamName: stream, ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: from, EndTimestamp: from.Add(d),
		SamplingInterval: 3 * time.Second, Format: frame.JPEG, FormatConfig: map[string]string{"JPEGQuality": "30"},
		WidthPixels: 160, HeightPixels: 90,
	}
}

func paramsOf(server *kvstest.Server) kvsio.ReadParams {
	return kvsio.ReadParams{
		AWS:        kvsio.AWSParams{Region: server.Region, EndpointURL: server.URL},
		CallParams: kvsio.CallParams{StreamQuota: kvsio.UnknownQuota},
	}
}

// pagesOf returns what of p a paginator goes by.
func pagesOf(p kvsio.ReadParams) kvsio.PaginatorParams {
	return kvsio.PaginatorParams{AWS: p.AWS, CallParams: p.CallParams}
}

func noQuota() *kvstest.Quota { return &kvstest.Quota{} }

// run runs Read and returns what came out, in order of stream and time.
func run(t *testing.T, runner string, p kvsio.ReadParams, requests ...kvsio.Request) ([]frame.Frame, []frame.Gap) {
	t.Helper()
	id := t.Name() + fmt.Sprint(time.Now().UnixNano())
	pipeline, s := beam.NewPipelineWithRoot()
	frames, gaps := kvsio.Read(s, p, requests...)
	beam.ParDo0(s, &collectFrames{Run: id}, frames)
	beam.ParDo0(s, &collectGaps{Run: id}, gaps)
	if _, err := beam.Run(context.Background(), runner, pipeline); err != nil {
		t.Fatal(err)
	}
	return sorted(id)
}

// sorted returns what a run put out, in order of stream and time.
func sorted(run string) ([]frame.Frame, []frame.Gap) {
	collected.mu.Lock()
	defer collected.mu.Unlock()
	f, g := collected.frames[run], collected.gaps[run]
	slices.SortFunc(f, func(a, b frame.Frame) int { return strings.Compare(a.Key(), b.Key()) })
	slices.SortFunc(g, func(a, b frame.Gap) int {
		return strings.Compare(frame.Key(a.Stream, a.SampleMs), frame.Key(b.Stream, b.SampleMs))
	})
	return f, g
}

// checkPicture holds a frame's picture against what it should show: the last
// frame of the stream at or before the instant.
func checkPicture(t *testing.T, f frame.Frame, frameEvery time.Duration) {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(f.Data))
	if err != nil {
		t.Fatalf("%s: %v", f.Key(), err)
	}
	code, err := kvstest.ReadTimecode(img)
	if err != nil {
		t.Fatalf("%s: %v", f.Key(), err)
	}
	late := f.SampleTime().Sub(code.Time)
	if code.Stream != kvstest.StreamCode(f.Stream) || late < 0 || late >= frameEvery {
		t.Errorf("%s shows stream %x at %v", f.Key(), code.Stream, code.Time)
	}
	if int32(img.Bounds().Dx()) != f.Width || int32(img.Bounds().Dy()) != f.Height {
		t.Errorf("%s is %v, recorded as %d × %d", f.Key(), img.Bounds(), f.Width, f.Height)
	}
}

func TestReadEverySampleOnce(t *testing.T) {
	t.Parallel()
	for _, runner := range runners {
		for _, fragment := range []time.Duration{4 * time.Second, 7 * time.Second, 20 * time.Second} {
			t.Run(fmt.Sprint(runner, " ", fragment), func(t *testing.T) {
				hole := kvstest.Range{From: newYear.Add(10 * time.Minute), To: newYear.Add(11 * time.Minute)}
				bad := kvstest.Range{From: newYear.Add(20 * time.Minute), To: newYear.Add(21 * time.Minute)}
				var streams []kvstest.Stream
				var requests []kvsio.Request
				for _, name := range []string{"front", "back.yard", "gate"} {
					streams = append(streams, kvstest.Stream{
						Name: name, Fragment: fragment, Quota: noQuota(), MediaErrors: []kvstest.Range{bad},
						Media: []kvstest.Range{{From: newYear, To: hole.From}, {From: hole.To, To: newYear.Add(time.Hour)}},
					})
					asked := request(name, newYear.Add(1500*time.Millisecond), 30*time.Minute)
					asked.WidthPixels, asked.HeightPixels = 64, 36 // just enough to be read
					requests = append(requests, asked)
				}
				server := kvstest.NewServer(kvstest.Config{Streams: streams})
				defer server.Close()
				frames, gaps := run(t, runner, paramsOf(server), requests...)
				if len(frames)+len(gaps) != 3*600 || len(gaps) != 3*40 {
					t.Fatalf("%d frames and %d gaps", len(frames), len(gaps))
				}
				for i, f := range frames {
					if i > 0 && f.Key() == frames[i-1].Key() {
						t.Errorf("%s twice", f.Key())
					}
					checkPicture(t, f, 100*time.Millisecond)
				}
				for _, g := range gaps {
					at, want := g.SampleTime(), frame.NoMedia
					if !at.Before(bad.From) {
						want = frame.MediaError
					}
					if g.Reason != want {
						t.Errorf("%v at %v", g.Reason, at)
					}
				}
			})
		}
	}
}

func TestFixedWindowsCountExactly(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{
		{Name: "a", Media: day, Quota: noQuota()}, {Name: "b", Media: day, Quota: noQuota()},
	}})
	defer server.Close()
	requests := []kvsio.Request{request("a", newYear, 20*time.Minute), request("b", newYear, 20*time.Minute)}
	for _, runner := range runners {
		for _, all := range []bool{false, true} {
			t.Run(fmt.Sprint(runner, " ReadAll ", all), func(t *testing.T) {
				id := t.Name()
				pipeline, s := beam.NewPipelineWithRoot()
				var frames beam.PCollection
				if all {
					bad := requests[0]
					bad.Format = "GIF"
					var failures beam.PCollection
					frames, _, failures = kvsio.ReadAll(s, paramsOf(server), beam.CreateList(s, append(requests, bad)))
					beam.ParDo0(s, &collectFailures{Run: id}, failures)
				} else {
					frames, _ = kvsio.Read(s, paramsOf(server), requests...)
				}
				windowed := beam.WindowInto(s, beamwindow.NewFixedWindows(time.Minute), frames)
				beam.ParDo0(s, &collectCounts{Run: id}, stats.Count(s, beam.ParDo(s, &byWindow{}, windowed)))
				if _, err := beam.Run(context.Background(), runner, pipeline); err != nil {
					t.Fatal(err)
				}
				counts := collected.counts[id]
				if len(counts) != 40 {
					t.Fatalf("%d windows, want 40", len(counts))
				}
				for _, n := range counts {
					if n != 20 {
						t.Errorf("%d frames in a minute, want 20", n)
					}
				}
				failures := collected.failures[id]
				if all && (len(failures) != 1 || failures[0].Request.Format != "GIF" || !failures[0].Invalid ||
					!strings.Contains(failures[0].Problem, "Format")) {
					t.Errorf("failures: %+v", failures)
				}
			})
		}
	}
}

// Nothing on the main path crosses a stage, but users' own pipelines may: what
// goes through Beam's coders comes out as it was.
func TestElementsCrossStages(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name: "cam", Quota: noQuota(), Media: []kvstest.Range{{From: newYear, To: newYear.Add(time.Minute)}},
	}}})
	defer server.Close()
	asked := request("cam", newYear, 2*time.Minute)
	want, wantGaps := run(t, "prism", paramsOf(server), asked)
	id := t.Name()
	pipeline, s := beam.NewPipelineWithRoot()
	shards := beam.Reshuffle(s, kvsio.ReadShards(s, paramsOf(server), asked))
	frames, gaps := kvsio.Read(s, paramsOf(server), asked)
	beam.ParDo0(s, &bundles{Run: id}, shards)
	beam.ParDo0(s, &collectFrames{Run: id}, beam.Reshuffle(s, frames))
	beam.ParDo0(s, &collectGaps{Run: id}, beam.Reshuffle(s, gaps))
	if _, err := beam.Run(context.Background(), "prism", pipeline); err != nil {
		t.Fatal(err)
	}
	got, gotGaps := sorted(id)
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(gotGaps, wantGaps) {
		t.Errorf("%d frames and %d gaps, want %d and %d, the same ones", len(got), len(gotGaps), len(want), len(wantGaps))
	}
	for shard := range bundled.shards[id] {
		if shard.Samples != 40 || shard.Series.StreamName != "cam" || shard.Series.At(shard.First) != newYear.UnixMilli() {
			t.Errorf("shard %+v", shard)
		}
	}
}
