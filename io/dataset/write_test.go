package dataset

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/metrics"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
)

func init() {
	register.Function2x0(makeShards)
	register.Function2x1(timeAndPath)
	register.Emitter2[beam.EventTime, frame.Shard]()
}

// makeShards emits shards at the time of their first sample.
func makeShards(outcomes string, emit func(beam.EventTime, frame.Shard)) {
	for i, outcomes := range strings.Fields(outcomes) {
		shard := shardOf(door, int64(i)*4, outcomes)
		emit(beam.EventTime(door.At(shard.Span.First)), shard)
	}
}

func timeAndPath(at beam.EventTime, receipt *framepb.Receipt) string {
	return fmt.Sprintf("%v %s %d", at.ToTime().UTC().Format("15:04:05"), receipt.Path, receipt.Frames)
}

func TestWrite(t *testing.T) {
	undisturbed, dir := create(t), create(t)
	for i, outcomes := range []string{"fnfd", "nnnn", "ffff"} {
		if _, err := writer(t, undisturbed).Write(context.Background(), shardOf(door, int64(i)*4, outcomes)); err != nil {
			t.Fatal(err)
		}
	}
	result := ptest.BuildAndRun(t, func(s beam.Scope) {
		shards := beam.ParDo(s, makeShards, beam.Create(s, "fnfd nnnn ffff"))
		receipts := Write(s, WriteParams{Dir: dir}, shards)
		path := "shards/" + door.ID() + "/20260101T0000"
		passert.Equals(s, beam.ParDo(s, timeAndPath, receipts),
			"00:00:00 "+path+"00000Z-4 2", "00:00:12  0", "00:00:24 "+path+"24000Z-4 4")
	})
	seals(t, undisturbed)
	equalTrees(t, settled(t, dir), settled(t, undisturbed), "a job")
	for name, want := range map[string]int64{"shards_written": 3, "frames_written": 6} {
		got := result.Metrics().Query(func(r beam.MetricResult) bool {
			return r.Name() == name &&
				r.Namespace() == namespace
		})
		if len(got.Counters()) != 1 || got.Counters()[0].Result() != want {
			t.Errorf("%s is %v, want %d", name, got.Counters(), want)
		}
	}
}

// TestWriteFails: a sink that cannot write fails the job.
func TestWriteFails(t *testing.T) {
	full := create(t)
	foldertest.Stray(t, full, "shards")
	for name, test := range map[string]struct{ dir, outcomes, want string }{
		"no dataset": {t.TempDir(), "ffff", "not a kvsframes dataset"},
		"no shard":   {create(t), "ffff xfff", "are not 4 samples"},
		"no room":    {full, "ffff", "shards"},
	} {
		t.Run(name, func(t *testing.T) {
			p, s := beam.NewPipelineWithRoot()
			Write(s, WriteParams{Dir: test.dir}, beam.ParDo(s, makeShards, beam.Create(s, test.outcomes)))
			if err := ptest.Run(p); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the job ends with %v, want %q", err, test.want)
			}
		})
	}
	if err := (WriteParams{}).Validate(); err == nil || !strings.Contains(err.Error(), "WriteParams.Dir") {
		t.Errorf("Validate says %v", err)
	}
}

// TestWriteKeeps: a failed shard over a complete one is told, not counted.
func TestWriteKeeps(t *testing.T) {
	dir := create(t)
	write(t, dir, shardOf(door, 0, "ffff"))
	result := ptest.BuildAndRun(t, func(s beam.Scope) {
		receipts := Write(s, WriteParams{Dir: dir}, beam.ParDo(s, makeShards, beam.Create(s, "FFFF")))
		passert.Count(s, receipts, "receipts", 1)
	})
	counters := result.Metrics().Query(func(r metrics.SingleResult) bool { return r.Name() == "shards_written" }).Counters()
	for _, c := range counters {
		if c.Result() != 0 {
			t.Errorf("%v shards are counted", c.Result())
		}
	}
	if report := verify(t, dir); !report.Complete || report.Frames != 4 {
		t.Errorf("Verify = %+v", report)
	}
}

// TestWriteRefusesAnotherCut: a source that cuts shards elsewhere than the dataset does
// fails, before anything is written.
func TestWriteRefusesAnotherCut(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(t.Context(), dir, Options{ShardSamples: 50}); err != nil {
		t.Fatal(err)
	}
	want := tree(t, dir)
	w := writer(t, dir)
	for _, test := range []struct {
		offset  int64
		samples int
	}{{0, 51}, {0, 100}, {49, 2}, {-1, 2}, {-100, 60}} {
		_, err := w.Write(t.Context(), shardOf(door, test.offset, strings.Repeat("n", test.samples)))
		var cut *CutError
		if !errors.As(err, &cut) || !strings.Contains(err.Error(), "set ReadParams.ShardSamples to 50") {
			t.Errorf("%d samples from %d on: %v", test.samples, test.offset, err)
		}
	}
	equalTrees(t, settled(t, dir), want, "shards that were refused")
	write(t, dir, shardOf(door, 0, strings.Repeat("n", 50)), shardOf(door, 75, strings.Repeat("n", 25)),
		shardOf(door, -1, "n"))
}

// TestWriteRefusesOtherTransforms: a dataset does not say of a frame what was not done to it,
// and the other way round.
func TestWriteRefusesOtherTransforms(t *testing.T) {
	for _, test := range []struct{ dataset, shard []string }{
		{nil, []string{"resize 64x64"}},
		{[]string{"resize 64x64"}, nil},
		{[]string{"resize 64x64"}, []string{"resize 32x32"}},
		{[]string{"resize 64x64"}, []string{"resize 64x64", "dedupe 4"}},
	} {
		dir := t.TempDir()
		if _, err := Create(t.Context(), dir, Options{Transforms: test.dataset}); err != nil {
			t.Fatal(err)
		}
		want := tree(t, dir)
		shard := shardOf(door, 0, "ff")
		shard.Transforms = test.shard
		_, err := writer(t, dir).Write(t.Context(), shard)
		if other := (*TransformsError)(nil); !errors.As(err, &other) {
			t.Errorf("%q into %q: %v", test.shard, test.dataset, err)
		}
		equalTrees(t, settled(t, dir), want, "a shard that was refused")
	}
}

// TestVerifyWithoutRequests: what no request is on record for is not complete, be it empty.
func TestVerifyWithoutRequests(t *testing.T) {
	dir := create(t)
	if report := verify(t, dir); report.Complete ||
		!strings.Contains(strings.Join(report.Problems, "\n"), "no request is on record") {
		t.Errorf("an empty dataset: %+v", report)
	}
	write(t, dir, shardOf(door, 0, "ff"))
	if report := verify(t, dir); !report.Complete {
		t.Errorf("what was asked for: %+v", report)
	}
}
