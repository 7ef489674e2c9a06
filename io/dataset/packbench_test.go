package dataset

import (
	"context"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/kvsframes/kvsframes/io/framepb"
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
		shard := framepb.Shard{Span: framepb.Span{Series: series, First: first + n, Samples: 100}}
		for i := range int64(100) {
			data := make([]byte, packedFrameSize)
			random.Read(data)
			at := series.At(first + n + i)
			shard.Frames = append(shard.Frames, framepb.Frame{
				Stream: series.StreamName, SampleMs: at, ImageMs: at, Format: framepb.JPEG, Width: 1280, Height: 720, Data: data,
			})
		}
		if _, err := w.Write(context.Background(), shard); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := WriteIndex(context.Background(), dir); err != nil {
		b.Fatal(err)
	}
	return dir, frames
}

// BenchmarkPack packs frames of 20 kB into files of 10,000, plan and job and all,
// and copies the files of the same dataset.
func BenchmarkPack(b *testing.B) {
	dir, frames := framesToPack(b)
	for _, bench := range []struct {
		name string
		run  func(b *testing.B, place string)
	}{
		{"copy", func(b *testing.B, place string) { copyTree(b, filepath.Join(dir, "shards"), place) }},
		{"webdataset", func(b *testing.B, place string) { packInto(b, dir, place, PackOptions{}) }},
		{"webdataset shuffled", func(b *testing.B, place string) { packInto(b, dir, place, PackOptions{ShuffleSeed: new(int64(1))}) }},
		{"parquet shuffled", func(b *testing.B, place string) {
			packInto(b, dir, place, PackOptions{Format: "parquet", ShuffleSeed: new(int64(1))})
		}},
		{"tfrecord shuffled", func(b *testing.B, place string) {
			packInto(b, dir, place, PackOptions{Format: "tfrecord", ShuffleSeed: new(int64(1))})
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(frames * packedFrameSize)
			most := watch("/memory/classes/total:bytes", "/memory/classes/heap/released:bytes")
			for b.Loop() {
				place := b.TempDir()
				bench.run(b, place)
				b.StopTimer()
				os.RemoveAll(place)
				b.StartTimer()
			}
			b.ReportMetric(float64(most.stop())/1e6, "MB-peak")
		})
	}
}

func packInto(b *testing.B, dir, place string, o PackOptions) {
	plan := planned(b, dir, o)
	if err := plan.Create(context.Background(), place); err != nil {
		b.Fatal(err)
	}
	p, s := beam.NewPipelineWithRoot()
	Pack(s, PackParams{Dir: dir, Place: place}, plan)
	if err := ptest.Run(p); err != nil {
		b.Fatal(err)
	}
	if missing, err := plan.Finish(context.Background(), place); missing > 0 || err != nil {
		b.Fatalf("%d files are missing: %v", missing, err)
	}
}

func copyTree(b *testing.B, from, to string) {
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
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
	if err != nil {
		b.Fatal(err)
	}
}
