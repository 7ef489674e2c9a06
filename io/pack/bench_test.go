//go:build linux

package pack

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
)

const packedFrameSize = 20_000

// framesToPack makes a dataset of four streams, in shards of 100 frames, and
// returns how many frames it has: 100,000, or 5,000 with -short.
func framesToPack(b *testing.B) (dir string, frames int64) {
	dir = createIn(b, "webdataset")
	frames = 100_000
	if testing.Short() {
		frames = 5_000
	}
	random := rand.NewChaCha8([32]byte{})
	w := writer(b, dir)
	for n := int64(0); n < frames; n += 100 {
		series := door
		series.StreamName = []string{"door", "yard", "gate", "hall"}[n/100%4]
		shard := frame.Shard{Span: frame.Span{Series: series, First: first + n, Samples: 100}}
		for i := range int64(100) {
			data := make([]byte, packedFrameSize)
			random.Read(data)
			at := series.At(first + n + i)
			shard.Frames = append(shard.Frames, frame.Frame{
				Stream: series.StreamName, SampleMs: at, ImageMs: at, Format: frame.JPEG, Width: 1280, Height: 720, Data: data,
			})
		}
		if _, err := w.Write(context.Background(), shard); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := opened(b, dir).Finish(context.Background(), dataset.FinishOptions{}); err != nil {
		b.Fatal(err)
	}
	return dir, frames
}

// BenchmarkPack packs frames of 20 kB into files of 10,000, plan and job and all,
// and copies the files of the same dataset, in turn: until all is on the disk, as
// [BenchmarkDisk] does, and into the page cache alone.
func BenchmarkPack(b *testing.B) {
	dir, frames := framesToPack(b)
	for _, last := range []string{"disk", "cache"} {
		b.Run("to="+last, func(b *testing.B) { benchmarkPack(b, dir, frames, last == "disk") })
	}
}

func benchmarkPack(b *testing.B, dir string, frames int64, toDisk bool) {
	seed := new(int64(1))
	type contender struct {
		name string
		run  func(place string) error
		took time.Duration
		most uint64
	}
	into := func(o Options) func(string) error {
		return func(place string) error { return packInto(b, dir, place, o) }
	}
	contenders := []*contender{
		{name: "copy", run: func(place string) error { return copyTree(filepath.Join(dir, "shards"), place) }},
		{name: "webdataset", run: into(Options{})},
		{name: "webdataset-shuffled", run: into(Options{ShuffleSeed: seed})},
		{name: "parquet-shuffled", run: into(Options{Format: "parquet", ShuffleSeed: seed})},
		{name: "tfrecord-shuffled", run: into(Options{Format: "tfrecord", ShuffleSeed: seed})},
	}
	for b.Loop() {
		for _, c := range contenders {
			place := b.TempDir()
			run := func() error { return c.run(place) }
			memory := foldertest.Watch("/memory/classes/total:bytes", "/memory/classes/heap/released:bytes")
			c.took += foldertest.UntilThere(b, place, toDisk, run)
			c.most = max(c.most, memory.Stop())
		}
		slices.Reverse(contenders) // nobody always comes first
	}
	b.ReportMetric(0, "ns/op")
	copied := contenders[slices.IndexFunc(contenders, func(c *contender) bool { return c.name == "copy" })].took
	for _, c := range contenders {
		b.ReportMetric(float64(int64(b.N)*frames*packedFrameSize)/1e6/c.took.Seconds(), c.name+"-MB/s")
		b.ReportMetric(copied.Seconds()/c.took.Seconds(), c.name+"-of-copy")
		b.ReportMetric(float64(c.most)/1e6, c.name+"-MB-peak")
	}
}

func packInto(b *testing.B, dir, place string, o Options) error {
	plan := planned(b, dir, o)
	if err := plan.Create(context.Background(), place); err != nil {
		return err
	}
	p, s := beam.NewPipelineWithRoot()
	Pack(s, Params{Dir: dir, Place: place}, plan)
	if err := ptest.Run(p); err != nil {
		return err
	}
	if missing, err := plan.Finish(context.Background(), place); missing > 0 || err != nil {
		return fmt.Errorf("%d files are missing: %w", missing, err)
	}
	return nil
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(from, path)
		if err != nil || d.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o777)
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.Create(filepath.Join(to, name))
		if err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
		return out.Close()
	})
}
