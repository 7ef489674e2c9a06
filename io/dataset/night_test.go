package dataset

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kvsframes/kvsframes/io/dataset/internal/sealed"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// counted is a bucket that counts what it is asked for, a page of a list as one.
type counted struct {
	store.Bucket
	asked *atomic.Int64
}

var askedOf = make(map[string]*atomic.Int64) // counted buckets, by name

func init() {
	store.Register("counted", store.Driver{Open: func(p store.Place) (store.Bucket, error) {
		in, err := store.At("mem://" + p.Bucket + "/" + p.Prefix)
		if err != nil {
			return nil, err
		}
		if askedOf[p.Bucket] == nil {
			askedOf[p.Bucket] = new(atomic.Int64)
		}
		return counted{in.(store.Bucket), askedOf[p.Bucket]}, nil
	}})
}

func (c counted) ask(names int) { c.asked.Add(max(1, int64(names+999)/1000)) }

func (c counted) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	c.ask(1)
	return c.Bucket.Read(ctx, path, limit)
}

func (c counted) Open(ctx context.Context, path string) (store.File, error) {
	c.ask(1)
	file, err := c.Bucket.Open(ctx, path)
	return countedFile{file, c}, err
}

type countedFile struct {
	store.File
	of counted
}

func (f countedFile) ReadAt(p []byte, offset int64) (int, error) {
	f.of.ask(1)
	return f.File.ReadAt(p, offset)
}

func (c counted) List(ctx context.Context, folder string) (files, folders []string, err error) {
	files, folders, err = c.Bucket.List(ctx, folder)
	c.ask(len(files) + len(folders))
	return files, folders, err
}

func (c counted) ListBetween(ctx context.Context, folder, first, last string) ([]string, error) {
	names, err := c.Bucket.ListBetween(ctx, folder, first, last)
	if c.ask(1); len(names) >= 100 {
		c.ask(len(names) - 100)
	}
	return names, err
}

func (c counted) Under(ctx context.Context, path string) ([]string, error) {
	names, err := c.Bucket.Under(ctx, path)
	c.ask(len(names))
	return names, err
}

func (c counted) Put(ctx context.Context, path string, data []byte) error {
	c.ask(1)
	return c.Bucket.Put(ctx, path, data)
}

func (c counted) PutFrom(ctx context.Context, path string, content *io.SectionReader) error {
	c.ask(1)
	return c.Bucket.PutFrom(ctx, path, content)
}

func (c counted) Create(ctx context.Context, path string) (io.WriteCloser, error) {
	c.ask(1)
	return c.Bucket.Create(ctx, path)
}

func (c counted) Remove(ctx context.Context, path string) error {
	c.ask(1)
	return c.Bucket.Remove(ctx, path)
}

func (c counted) RemoveAll(ctx context.Context, paths []string) error {
	c.ask(len(paths))
	return c.Bucket.RemoveAll(ctx, paths)
}

// old makes a dataset of shards of one series, from the beginning of a block on, whose
// receipts are sealed: of gaps alone, so that it takes no pictures.
func old(t testing.TB, name string, shards, shardSamples int64) *Dataset {
	t.Helper()
	ds, err := Create(t.Context(), name, Options{Format: "webdataset", ShardSamples: int(shardSamples)})
	if err != nil {
		t.Fatal(err)
	}
	all := frame.Span{Series: door, Samples: shards * shardSamples}
	if err := ds.Begin(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	var run []*framepb.Receipt
	for i := range shards {
		shard := all.Slice(i*shardSamples, (i+1)*shardSamples)
		run = append(run, &framepb.Receipt{
			Series: framepb.SeriesOf(door), First: shard.First, Samples: int32(shardSamples),
			Gaps: []*framepb.GapRun{{Samples: int32(shardSamples), Reason: frame.NoMedia}},
		})
		block := ledger.BlockOf(shard, int(shardSamples))
		if shard.End() < block.End() && i+1 < shards {
			continue
		}
		if _, err := ds.putSealed(t.Context(), ledger.SealedEntry(spanOf(run), false, sealed.Digest(run)), run); err != nil {
			t.Fatal(err)
		}
		run = nil
	}
	if _, err := ds.Finish(t.Context(), FinishOptions{}); err != nil {
		t.Fatal(err)
	}
	return ds
}

// night does what a backfill of new shards of one series does to a dataset.
func night(t testing.TB, ds *Dataset, first, shards int64, isNew bool) {
	t.Helper()
	n := int64(ds.Options().ShardSamples)
	nights(t, ds, []frame.Span{{Series: door, First: first, Samples: shards * n}}, isNew)
}

// TestNightCostsWhatIsNew: a night of new shards makes as many requests in a dataset of
// 101,000 shards as in one of 1,000, at most six a shard and 25 a camera; and one in which nothing is
// new makes no more than 25.
func TestNightCostsWhatIsNew(t *testing.T) {
	const shards = 20
	requests, again := make(map[int64]int64), make(map[int64]int64)
	for _, there := range []int64{few, many} {
		bucket := fmt.Sprint(strings.ToLower(t.Name()), there)
		ds := old(t, "counted://"+bucket+"/x", there, 10)
		askedOf[bucket].Store(0)
		night(t, ds, 10*there, shards, true)
		requests[there] = askedOf[bucket].Load()
		askedOf[bucket].Store(0)
		night(t, ds, 10*there, shards, false)
		again[there] = askedOf[bucket].Load()
	}
	if requests[many] > requests[few]*12/10 || requests[many] > 6*shards+25 {
		t.Errorf("20 new shards take %v requests, by how many shards are there", requests)
	}
	if again[many] > 25 {
		t.Errorf("nothing new takes %v requests, by how many shards are there", again)
	}
	t.Logf("of new shards: %v requests by shards that are there; of nothing new: %v", requests, again)
}

// How many shards a dataset has before a night. Both end in the middle of a block.
const few, many = 1000, 101_000

// BenchmarkNight writes 20 new shards of 100 frames into a folder's dataset of 1,000 shards and of
// 101,000, in turn.
func BenchmarkNight(b *testing.B) {
	for _, there := range []int64{few, many} {
		b.Run(fmt.Sprint(there, "-shards"), func(b *testing.B) {
			ds := old(b, b.TempDir(), there, 100)
			next := there * 100
			for b.Loop() {
				night(b, ds, next, 20, true)
				next += 20 * 100
			}
		})
	}
}
