package pack

import (
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// BenchmarkPlan plans a set of 1,000 shards of 100 frames, whose receipts are sealed.
func BenchmarkPlan(b *testing.B) {
	dir := b.TempDir()
	ds, err := dataset.Create(b.Context(), dir, dataset.Options{})
	if err != nil {
		b.Fatal(err)
	}
	format := container.All[dataset.DefaultFormat]
	data := make([]byte, 1<<20)
	const blocks = 100_000 - shardtest.First%100_000 // where a block begins
	for n := range int64(1000) {
		shard := shardOf(door, blocks+100*n, strings.Repeat("f", 100))
		for i := range shard.Frames {
			shard.Frames[i].Data = append(data[n:2*n+1000+int64(i)], byte(n), byte(n>>8), byte(i))
		}
		receipt, err := ledger.NewReceipt(shard, format.Path(shard.Span))
		if err == nil {
			err = ds.Ledger().Put(b.Context(), receipt)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if _, err := ds.Finish(b.Context(), dataset.FinishOptions{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		plan, err := NewPlan(b.Context(), ds, Options{Format: "webdataset"})
		if err != nil || plan.Set.Frames != 100_000 {
			b.Fatal(plan, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/frame")
}
