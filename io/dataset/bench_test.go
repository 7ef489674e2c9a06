package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
)

// bigShard is 100 frames of 100 kB.
func bigShard() frame.Shard {
	shard := frame.Shard{Span: frame.Span{Series: door, First: first, Samples: 100}}
	random := rand.NewChaCha8([32]byte{})
	for i := range int64(100) {
		data := make([]byte, 100_000)
		random.Read(data)
		at := door.At(first + i)
		shard.Frames = append(shard.Frames, frame.Frame{
			Stream: door.StreamName, SampleMs: at, ImageMs: at, Format: frame.JPEG, Width: 1280, Height: 720, Data: data,
		})
	}
	return shard
}

// later returns the shard that stands i shards after another, of the same pictures.
func later(shard frame.Shard, i int64) frame.Shard {
	shard.Span.First += i * shard.Span.Samples
	shard.Frames = slices.Clone(shard.Frames)
	for j := range shard.Frames {
		at := shard.Span.Series.At(shard.Span.First + int64(j))
		shard.Frames[j].SampleMs, shard.Frames[j].ImageMs = at, at
	}
	return shard
}

// BenchmarkWrite writes shards of 10 MB; compare with BenchmarkCopy.
func BenchmarkWrite(b *testing.B) {
	for _, format := range Formats() {
		b.Run(format, func(b *testing.B) { benchmarkWrite(b, format) })
	}
}

func benchmarkWrite(b *testing.B, format string) {
	dir, shard := createIn(b, format), bigShard()
	w := writer(b, dir)
	b.SetBytes(10_000_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%20 == 0 {
			b.StopTimer()
			if err := foldertest.Drain(dir); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		shard.Span.Series.JPEGQuality = int32(i) // another shard
		if _, err := w.Write(context.Background(), shard); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCopy copies the same bytes into one file a shard.
func BenchmarkCopy(b *testing.B) {
	dir, shard := b.TempDir(), bigShard()
	b.SetBytes(10_000_000)
	for i := 0; b.Loop(); i++ {
		if i%20 == 0 {
			b.StopTimer()
			if err := foldertest.Drain(dir); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		if err := copyShard(filepath.Join(dir, fmt.Sprint(i)), shard); err != nil {
			b.Fatal(err)
		}
	}
}

// copyShard writes the pictures of a shard into one file.
func copyShard(path string, shard frame.Shard) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	pictures := make([]io.Reader, len(shard.Frames))
	for i := range shard.Frames {
		pictures[i] = bytes.NewReader(shard.Frames[i].Data)
	}
	_, err = io.Copy(file, io.MultiReader(pictures...))
	return errors.Join(err, file.Close())
}

// BenchmarkVerify reads 20 shards of 100 small pictures back.
func BenchmarkVerify(b *testing.B) {
	for _, format := range Formats() {
		b.Run(format, func(b *testing.B) { benchmarkVerify(b, format) })
	}
}

func benchmarkVerify(b *testing.B, format string) {
	dir := createIn(b, format)
	var size int64
	for i := range int64(20) {
		shard := shardOf(door, 100*i, string(bytes.Repeat([]byte("f"), 100)))
		for j := range shard.Frames {
			shard.Frames[j].Data = append(shard.Frames[j].Data, make([]byte, 100_000)...)
			size += int64(len(shard.Frames[j].Data))
		}
		write(b, dir, shard)
	}
	b.SetBytes(size)
	for b.Loop() {
		if report, err := opened(b, dir).Verify(context.Background(), VerifyOptions{}); err != nil || !report.Complete {
			b.Fatal(report, err)
		}
	}
}
