package kvsio_test

import (
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/io/ledger"
)

func init() { register.Function2x0(samplesOf) }

// samplesOf emits a gap for each sample that a shard says it asked for.
func samplesOf(shard frame.Shard, emit func(frame.Gap)) {
	for _, span := range shard.Again {
		for i := range span.Samples {
			emit(frame.Gap{SampleMs: span.Series.At(span.First + i)})
		}
	}
}

// TestSecondLook: of a shard that the ledger has only gaps are asked for: FAILED ones, and
// those of the reasons in Refetch. The plan says how many, and transforms that look at
// neighbours make it all of the shard.
func TestSecondLook(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}}})
	defer server.Close()
	const failed, absent = 20, 30 // the first samples of the shard, and the last ones
	for _, c := range []struct {
		name       string
		transforms []string
		failed     bool
		refetch    []string
		asked      int // of 100 samples
		heads      int // images that lead to them, at most: of ranges that begin inside a fragment
	}{
		{"failed", nil, true, nil, failed, 0},
		{"failed and absent", nil, true, []string{frame.NoMedia}, failed + absent, 7},
		{"absent", nil, false, []string{frame.NoMedia}, absent, 7},
		{"nothing", nil, false, []string{frame.Corrupt}, 0, 0},
		{"each by itself", []string{"resize 64x36"}, true, nil, failed, 0},
		{"deduped", []string{"dedupe 3"}, true, nil, 100, 0},
		{"deduped, and nothing", []string{"dedupe 3"}, false, nil, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := paramsOf(server)
			p.Ledger, p.Refetch = createDataset(t, dataset.Options{Transforms: c.transforms}), c.refetch
			asked := request("cam", newYear, 5*time.Minute)
			span := asked.Span()
			putReceipt(t, p.Ledger, span, func(i int64) string {
				switch {
				case i < failed && c.failed:
					return frame.Failed
				case i >= span.Samples-absent:
					return frame.NoMedia
				}
				return frame.OutOfRetention
			})
			plan, err := kvsio.NewPlan(t.Context(), p, []kvsio.Request{asked})
			if err != nil || frame.Count(plan.Missing) != int64(c.asked) {
				t.Errorf("the plan is of %v, %v, want %d samples", plan.Missing, err, c.asked)
			}

			before := server.Stats().Images
			pipeline, s := beam.NewPipelineWithRoot()
			frames, gaps := kvsio.Read(s, p, asked)
			beam.ParDo0(s, &collectFrames{Run: t.Name()}, frames)
			beam.ParDo0(s, &collectGaps{Run: t.Name()}, gaps)
			if _, err := beam.Run(t.Context(), "direct", pipeline); err != nil {
				t.Fatal(err)
			}
			got, none := sorted(t.Name())
			images := server.Stats().Images - before
			if len(got) != c.asked || len(none) > 0 || images < c.asked || images > c.asked+c.heads {
				t.Errorf("%d frames and %d gaps of %d images, want %d frames", len(got), len(none), images, c.asked)
			}

			pipeline, s = beam.NewPipelineWithRoot()
			shards := kvsio.ReadPlan(s, p, plan)
			beam.ParDo0(s, &collectGaps{Run: t.Name() + " shards"}, beam.ParDo(s, samplesOf, shards))
			if _, err := beam.Run(t.Context(), "direct", pipeline); err != nil {
				t.Fatal(err)
			}
			want := got
			if c.asked == 100 {
				want = nil // it is no second look
			}
			_, again := sorted(t.Name() + " shards")
			if len(again) != len(want) {
				t.Fatalf("a shard says that %d samples were asked for, want %d", len(again), len(want))
			}
			for i, g := range again {
				if g.SampleMs != want[i].SampleMs {
					t.Errorf("a shard says that %d was asked for, want %d", g.SampleMs, want[i].SampleMs)
				}
			}
		})
	}
}

// putReceipt records a shard of gaps.
func putReceipt(t *testing.T, dir string, span frame.Span, reason func(i int64) string) {
	t.Helper()
	shard := frame.Shard{Span: span}
	for i := range span.Samples {
		shard.Gaps = append(shard.Gaps, frame.Gap{
			Stream: "cam", SampleMs: span.Series.At(span.First + i), Reason: reason(i),
		})
	}
	receipt, err := ledger.NewReceipt(shard, "")
	if err == nil {
		err = ledger.Open(dir).Put(t.Context(), receipt)
	}
	if err != nil {
		t.Fatal(err)
	}
}
