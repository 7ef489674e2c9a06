package pipeline

import (
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
			c := composed{runner, t.TempDir()}
			t.Run("brightness", c.testBrightness)
		})
	}
}

// composed is where pipelines of users run. The streams cam0 and cam1 have footage from
// start on.
type composed struct {
	runner string
	dir    string
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

	text, err := os.ReadFile(filepath.Join(c.dir, "brightness.txt"))
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(strings.SplitSeq(strings.TrimSpace(string(text)), "\n"))
	want := []string{
		"cam0 00:00: 20 pictures of 123 []", "cam0 00:01: 20 pictures of 123 [rain]", "cam0 00:02: 20 pictures of 123 []",
		"cam1 00:00: 20 pictures of 119 []", "cam1 00:01: 20 pictures of 119 []", "cam1 00:02: 20 pictures of 119 [snow]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
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
