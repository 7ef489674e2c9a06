package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/textio"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/transforms/stats"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/transforms"
)

func init() {
	register.Function1x2(brightness)
	register.Function4x0(perMinute)
	register.Function2x0(splitLabel)
	register.Function4x0(labelled)
	register.Function2x2(parseRequest)
	register.Function1x1(failure)
	register.Function1x1(streamName)
	register.Function1x1(reason)
	register.Function2x1(countOf)
	register.Function2x2(daylight)
	register.Emitter1[string]()
	register.Emitter2[string, string]()
	register.Iter1[float64]()
	register.Iter1[string]()
}

// TestComposed runs pipelines as users of Beam compose them.
func TestComposed(t *testing.T) {
	for _, runner := range []string{"direct", "prism"} {
		t.Run(runner, func(t *testing.T) {
			config := kvstest.Config{}
			for _, name := range []string{"cam0", "cam1"} {
				config.Streams = append(config.Streams, kvstest.Stream{
					Name: name, Quota: &kvstest.Quota{}, Media: []kvstest.Range{{From: start, To: start.Add(time.Hour)}},
				})
			}
			server := kvstest.NewServer(config)
			t.Cleanup(server.Close)
			for _, entry := range server.Env() {
				name, value, _ := strings.Cut(entry, "=")
				t.Setenv(name, value)
			}
			composed{runner, t.TempDir()}.test(t)
		})
	}
}

// composed is where pipelines of users run. The streams cam0 and cam1 have footage from
// start on.
type composed struct {
	runner string
	dir    string
}

func (c composed) test(t *testing.T) {
	t.Run("brightness", c.testBrightness)
	t.Run("requests of a file", c.testRequests)
	t.Run("dataset", c.testDataset)
}

func (c composed) requests(minutes int) (requests []kvsio.Request) {
	for i := range 2 {
		requests = append(requests, kvsio.Request{
			StreamName: fmt.Sprintf("cam%d", i), ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: start,
			EndTimestamp:     start.Add(time.Duration(minutes) * time.Minute),
			SamplingInterval: 3 * time.Second, Format: frame.JPEG, WidthPixels: 64, HeightPixels: 48,
		})
	}
	return requests
}

func (c composed) run(t *testing.T, p *beam.Pipeline) {
	t.Helper()
	if _, err := beam.Run(t.Context(), c.runner, p); err != nil {
		t.Fatal(err)
	}
}

// testBrightness: pictures are decoded, what is made of them is grouped by the minute of
// their samples, and joined with what is known of those minutes.
func (c composed) testBrightness(t *testing.T) {
	p, s := beam.NewPipelineWithRoot()
	frames, _ := kvsio.Read(s, kvsio.ReadParams{}, c.requests(3)...)
	pixels, _ := transforms.Decode(s, transforms.DecodeParams{}, frames)
	minutes := beam.WindowInto(s, window.NewFixedWindows(time.Minute), beam.ParDo(s, brightness, pixels))
	means := beam.ParDo(s, perMinute, beam.GroupByKey(s, minutes))
	labels := beam.ParDo(s, splitLabel, beam.Create(s, "cam0 00:01=rain", "cam1 00:02=snow"))
	joined := beam.CoGroupByKey(s, beam.WindowInto(s, window.NewGlobalWindows(), means), labels)
	textio.Write(s, filepath.Join(c.dir, "brightness.txt"), beam.ParDo(s, labelled, joined))
	c.run(t, p)

	c.wantLines(t, "brightness.txt",
		"cam0 00:00: 20 pictures of 123 []", "cam0 00:01: 20 pictures of 123 [rain]", "cam0 00:02: 20 pictures of 123 []",
		"cam1 00:00: 20 pictures of 119 []", "cam1 00:01: 20 pictures of 119 []", "cam1 00:02: 20 pictures of 119 [snow]")
}

// wantLines compares the lines of a file that a pipeline wrote, in order.
func (c composed) wantLines(t *testing.T, name string, want ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(strings.SplitSeq(strings.TrimSpace(string(text)), "\n")); !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

func brightness(f frame.Frame) (stream string, mean float64) {
	sum := 0
	for _, b := range f.Data {
		sum += int(b)
	}
	return f.Stream, float64(sum) / float64(len(f.Data))
}

func perMinute(w beam.Window, stream string, means func(*float64) bool, emit func(string, string)) {
	var n, sum, mean float64
	for means(&mean) {
		n, sum = n+1, sum+mean
	}
	minute := w.(window.IntervalWindow).Start.ToTime().UTC().Format("15:04")
	emit(stream+" "+minute, fmt.Sprintf("%.0f pictures of %.0f", n, sum/n))
}

func splitLabel(line string, emit func(string, string)) {
	minute, label, _ := strings.Cut(line, "=")
	emit(minute, label)
}

func labelled(minute string, means, labels func(*string) bool, emit func(string)) {
	var mean, label string
	known := []string{}
	for labels(&label) {
		known = append(known, label)
	}
	for means(&mean) {
		emit(fmt.Sprintf("%s: %s %v", minute, mean, known))
	}
}

// testRequests: requests come from a file. Those that are not valid, and those of a stream
// that is not there, stop no others.
func (c composed) testRequests(t *testing.T) {
	var lines []string
	for _, text := range []string{
		`{"StreamName": "cam0", "StartTimestamp": "%[1]s", "EndTimestamp": "%[2]s", "SamplingInterval": 3000, "Format": "JPEG", %[3]s}`,
		`{"StreamName": "cam1", "StartTimestamp": "%[1]s", "EndTimestamp": "%[2]s", "SamplingInterval": 3, "Format": "JPEG", %[3]s}`,
		`{"StreamName": "gone", "StartTimestamp": "%[1]s", "EndTimestamp": "%[2]s", "SamplingInterval": 3000, "Format": "JPEG", "Tag": "event 3", %[3]s}`,
	} {
		lines = append(lines, fmt.Sprintf(text, start.Format(time.RFC3339), start.Add(time.Minute).Format(time.RFC3339),
			`"ImageSelectorType": "PRODUCER_TIMESTAMP", "WidthPixels": 64, "HeightPixels": 48`))
	}
	file := filepath.Join(c.dir, "requests.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	p, s := beam.NewPipelineWithRoot()
	requests := beam.ParDo(s, parseRequest, textio.Read(s, file))
	frames, gaps, failures := kvsio.ReadAll(s, kvsio.ReadParams{KeepGoing: true}, requests)
	textio.Write(s, filepath.Join(c.dir, "failures.txt"), beam.ParDo(s, failure, failures))
	textio.Write(s, filepath.Join(c.dir, "gaps.txt"), beam.ParDo(s, countOf, stats.Count(s, beam.ParDo(s, reason, gaps))))
	textio.Write(s, filepath.Join(c.dir, "streams.txt"), beam.ParDo(s, streamName, frames))
	c.run(t, p)

	c.wantLines(t, "failures.txt", "cam1: invalid: SamplingInterval is 3ms: it must be at least 3s, which "+
		"MinInterval can lower to 200ms", "gone: 20 samples tagged event 3")
	c.wantLines(t, "gaps.txt", "gone: 20 samples FAILED")
	c.wantLines(t, "streams.txt", slices.Repeat([]string{"cam0"}, 20)...)
}

// testDataset: a classifier sees pixels, the pictures are kept as they came, and a dataset
// knows what was asked of it.
func (c composed) testDataset(t *testing.T) {
	dir := filepath.Join(c.dir, "dataset")
	steps := []transforms.Step{transforms.MapParams{Fn: daylight, Pixels: true}}
	ds, err := dataset.Create(t.Context(), dir, dataset.Options{
		Format: "parquet", ShardSamples: 20, Transforms: transforms.Describe(steps...),
	})
	if err != nil {
		t.Fatal(err)
	}
	requests := c.requests(3)
	for _, r := range requests {
		if err := ds.Begin(t.Context(), r.Span()); err != nil {
			t.Fatal(err)
		}
	}
	var read kvsio.ReadParams
	read.Ledger, read.ShardSamples = dir, ds.Options().ShardSamples
	p, s := beam.NewPipelineWithRoot()
	shards := transforms.Shards(s, kvsio.ReadShards(s, read, requests...), steps...)
	dataset.Write(s, dataset.WriteParams{Dir: dir}, shards)
	c.run(t, p)
	if _, err := ds.Finish(t.Context(), dataset.FinishOptions{}); err != nil {
		t.Fatal(err)
	}
	report, err := ds.Verify(t.Context(), dataset.VerifyOptions{})
	if err != nil || !report.Complete || report.Frames != 120 {
		t.Fatalf("%+v, %v", report, err)
	}
	sealed, err := filepath.Glob(filepath.Join(dir, "sealed", "*", "*.parquet"))
	if err != nil || len(sealed) != 2 {
		t.Fatal(sealed, err)
	}
	if err := os.Remove(sealed[1]); err != nil {
		t.Fatal(err)
	}
	if report, err = ds.Verify(t.Context(), dataset.VerifyOptions{}); err != nil || report.Complete {
		t.Errorf("without %s it is complete: %+v, %v", sealed[1], report, err)
	}
}

func parseRequest(_ context.Context, line string) (kvsio.Request, error) {
	var r kvsio.Request
	return r, json.Unmarshal([]byte(line), &r)
}

func failure(f kvsio.FailedRequest) string {
	if f.Invalid {
		return f.Request.StreamName + ": invalid: " + f.Problem
	}
	return fmt.Sprintf("%s: %d samples tagged %s", f.Request.StreamName, f.Request.Span().Samples, f.Request.Tag)
}

func reason(g frame.Gap) string { return g.Stream + ": %d samples " + g.Reason }

func countOf(form string, n int) string { return fmt.Sprintf(form, n) }

func streamName(f frame.Frame) string { return f.Stream }

func daylight(_ context.Context, f frame.Frame) (frame.Frame, error) {
	if f.Format != frame.RGB {
		return f, fmt.Errorf("a picture in %s", f.Format)
	}
	_, mean := brightness(f)
	f.Labels = map[string]string{"brightness": fmt.Sprintf("%.0f", mean)}
	return f, nil
}
