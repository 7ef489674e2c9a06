package dataset

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/dataset/internal/sealed"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// monthShards is how many shards a month of a camera has. They are of the samples that make them
// fill the month: one sample each 5 minutes, or a hundred each 3 seconds.
const monthShards = 8640

// monthOf is a month of a number of cameras.
func monthOf(cameras int, shardSamples int64) (asked []frame.Span) {
	for i := range cameras {
		series := door
		series.StreamName = fmt.Sprintf("camera-%04d", i)
		series.StreamARN = fmt.Sprintf("arn:aws:kinesisvideo:eu-west-1:111122223333:stream/camera-%04d/1672531200000", i)
		series.IntervalMs = int32(300_000 / shardSamples)
		asked = append(asked, frame.Span{
			Series: series, First: 100_000 * shardSamples, Samples: monthShards * shardSamples,
		})
	}
	return asked
}

// month makes a dataset of what was asked for, by [monthOf], of which the receipts are sealed:
// what a job has done before Finish. There are no shard files.
func month(t testing.TB, place string, asked []frame.Span, shardSamples int64) *Dataset {
	t.Helper()
	ds, err := Create(t.Context(), place, Options{Format: "webdataset", ShardSamples: int(shardSamples)})
	if err == nil {
		err = ds.Begin(t.Context(), asked...)
	}
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	group.SetLimit(blocksAtOnce)
	for _, all := range asked {
		for rest := all; rest.Samples > 0; {
			end := min(ledger.BlockOf(rest, int(shardSamples)).End(), all.End())
			block := rest.Slice(rest.First, end)
			rest = rest.Slice(end, all.End())
			group.Go(func() error {
				var run []*framepb.Receipt
				for at := block.First; at < end; at += shardSamples {
					run = append(run, receiptWithFrames(block.Slice(at, at+shardSamples)))
				}
				file := ledger.SealedEntry(block, false, sealed.Digest(run))
				data, err := ds.putSealed(t.Context(), file, run)
				if err != nil {
					return err
				}
				return ds.index(t.Context(), ledger.BlockOf(block, int(shardSamples)), nil,
					map[ledger.Entry][]byte{file: data})
			})
		}
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return ds
}

// receiptWithFrames is the receipt of a shard of frames a few ms away from their samples. Some shards begin
// with gaps.
func receiptWithFrames(shard frame.Span) *framepb.Receipt {
	random := rand.New(rand.NewPCG(uint64(shard.First), 0))
	r := &framepb.Receipt{Series: framepb.SeriesOf(shard.Series), First: shard.First, Samples: int32(shard.Samples)}
	reasons := []string{frame.NoMedia, frame.MediaError}
	gaps := int32(0)
	if kind := random.IntN(200); kind < len(reasons) {
		gaps = min(30, r.Samples)
		r.Gaps = []*framepb.GapRun{{Samples: gaps, Reason: reasons[kind]}}
	}
	if r.Frames = r.Samples - gaps; r.Frames == 0 {
		return r
	}
	r.Path = container.All["webdataset"].Path(shard)
	r.Widths, r.Heights = []int32{640}, []int32{480}
	for range r.Frames {
		size := int32(20_000 + random.IntN(8_000))
		r.Sizes, r.Bytes = append(r.Sizes, size), r.Bytes+int64(size)
		r.ImageOffsetsMs = append(r.ImageOffsetsMs, int32(random.IntN(11)-5))
		for range 4 {
			r.Sha256 = binary.LittleEndian.AppendUint64(r.Sha256, random.Uint64())
		}
	}
	return r
}

// requestsOfMonth returns how many requests a backfill makes of a bucket that has a month of so
// many cameras: where nothing is new, and where each camera has new shards.
func requestsOfMonth(t testing.TB, cameras int, shards int64) (nothingNew, isNew int64) {
	t.Helper()
	bucket := fmt.Sprint("month", cameras)
	asked := monthOf(cameras, 1)
	ds := month(t, "counted://"+bucket+"/x", asked, 1)
	if _, err := ds.Finish(t.Context(), FinishOptions{}); err != nil {
		t.Fatal(err)
	}
	count := func(asked []frame.Span, isNew bool) int64 {
		before := askedOf[bucket].Load()
		nights(t, ds, asked, isNew)
		return askedOf[bucket].Load() - before
	}
	nothingNew = count(asked, false)
	for i, span := range asked {
		asked[i].First, asked[i].Samples = span.End(), shards
	}
	return nothingNew, count(asked, true)
}

// What a backfill may ask of a bucket.
const (
	mostACamera   = 25 // where nothing is new, and besides the new shards
	mostANewShard = 6
)

// TestMonthOfCameras: what a night asks of a bucket is so much a camera, and so much a new
// shard, however many there are.
func TestMonthOfCameras(t *testing.T) {
	const shards = 20
	var again, isNew [4]int64 // by cameras
	for cameras := 1; cameras < len(again); cameras++ {
		again[cameras], isNew[cameras] = requestsOfMonth(t, cameras, shards)
	}
	if more := again[3] - again[2]; more != again[2]-again[1] || more > mostACamera {
		t.Errorf("nothing new takes %d requests for a second camera, and %d for a third", again[2]-again[1], more)
	}
	if more := isNew[3] - isNew[2]; more != isNew[2]-isNew[1] || more > mostACamera+shards*mostANewShard {
		t.Errorf("%d new shards take %d requests for a second camera, and %d for a third", shards, isNew[2]-isNew[1], more)
	}
	t.Logf("nothing new: %v requests by cameras; %d new shards of each: %v", again[1:], shards, isNew[1:])
}

// BenchmarkMonth counts the requests of a night of a thousand cameras that have a month in a
// bucket: where nothing is new, and where each has 20 new shards.
func BenchmarkMonth(b *testing.B) {
	const cameras, shards = 1000, 20
	for b.Loop() {
		again, isNew := requestsOfMonth(b, cameras, shards)
		b.ReportMetric(float64(again)/cameras, "requests/camera")
		b.ReportMetric(float64(isNew)/cameras/shards, "requests/new-shard")
		if again > mostACamera*cameras || isNew > (mostACamera+mostANewShard*shards)*cameras {
			b.Errorf("%d requests where nothing is new, %d where each camera has %d new shards", again, isNew, shards)
		}
	}
}

// nights does what a backfill does to a dataset: plan, look, write, seal, sum up.
func nights(t testing.TB, ds *Dataset, asked []frame.Span, isNew bool) {
	t.Helper()
	ctx, n := t.Context(), int64(ds.Options().ShardSamples)
	if err := ds.Begin(ctx, asked...); err != nil {
		t.Fatal(err)
	}
	for _, span := range asked {
		if _, err := ds.ledger.Files(ctx, span.Series); err != nil { // the plan
			t.Fatal(err)
		}
	}
	w, err := ds.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	var samples int64
	for _, span := range asked {
		samples += span.Samples
		for at := span.First; isNew && at < span.End(); at += n {
			shard := shardOf(span.Series, at-first, strings.Repeat("f", int(n)))
			known, err := ds.ledger.Known(ctx, shard.Span)
			shard.New = known.Nothing()
			if err == nil {
				_, err = w.Write(ctx, shard)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := ds.Finish(ctx, FinishOptions{}); err != nil {
		t.Fatal(err)
	}
	tallies, err := ds.Tally(ctx, asked)
	var there int64
	for _, tally := range tallies {
		there += tally.Samples - tally.Missing
	}
	if err != nil || there != samples {
		t.Fatalf("%d samples of %d are there, %v", there, samples, err)
	}
}
