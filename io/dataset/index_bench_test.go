package dataset

import (
	"context"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// BenchmarkIndex makes the index of 1,000 shards of 100 frames and reads it, beside
// what reads the same receipts only to count.
func BenchmarkIndex(b *testing.B) {
	dir := createIn(b, DefaultFormat)
	book, format := ledger.Open(dir), container.All[DefaultFormat]
	var spans []frame.Span
	data := bigShard().Frames[0].Data
	for n := range int64(1000) {
		shard := shardOf(door, 100*n, strings.Repeat("f", 100))
		for i := range shard.Frames {
			shard.Frames[i].Data = data[n : 2*n+1000+int64(i)]
		}
		receipt, err := ledger.NewReceipt(shard, format.Path(shard.Span))
		if err == nil {
			err = book.Put(b.Context(), receipt)
		}
		if err != nil {
			b.Fatal(err)
		}
		spans = append(spans, shard.Span)
	}
	perRow := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/sample")
	}
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if rows, err := writeIndex(context.Background(), b, dir); err != nil || rows != 100_000 {
				b.Fatal(rows, err)
			}
		}
		perRow(b)
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			readIndex(b, dir)
		}
		perRow(b)
	})
	b.Run("tally", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := book.Tally(b.Context(), spans); err != nil {
				b.Fatal(err)
			}
		}
		perRow(b)
	})
}
