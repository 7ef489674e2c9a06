package dataset

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// bigShard is 100 frames of 100 kB.
func bigShard() framepb.Shard {
	shard := framepb.Shard{Span: framepb.Span{Series: door, First: first, Samples: 100}}
	random := rand.NewChaCha8([32]byte{})
	for i := range int64(100) {
		data := make([]byte, 100_000)
		random.Read(data)
		at := door.At(first + i)
		shard.Frames = append(shard.Frames, framepb.Frame{
			Stream: door.StreamName, SampleMs: at, ImageMs: at, Format: framepb.JPEG, Width: 1280, Height: 720, Data: data,
		})
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
			os.RemoveAll(filepath.Join(dir, "shards"))
			os.RemoveAll(filepath.Join(dir, "ledger"))
			b.StartTimer()
		}
		shard.Span.Series.Format = fmt.Sprint("JPEG", i)
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
			os.RemoveAll(dir)
			if err := os.MkdirAll(dir, 0o777); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		file, err := os.Create(filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			b.Fatal(err)
		}
		for _, frame := range shard.Frames {
			if _, err := io.Copy(file, bytes.NewReader(frame.Data)); err != nil {
				b.Fatal(err)
			}
		}
		if err := file.Close(); err != nil {
			b.Fatal(err)
		}
	}
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
		if report, err := Verify(context.Background(), dir, VerifyOptions{}); err != nil || !report.Complete {
			b.Fatal(report, err)
		}
	}
}
