//go:build linux

package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/internal/foldertest"
)

// diskShards come to 2 GB.
const diskShards = 200

// BenchmarkDisk writes shards to a disk that is kept busy from the first byte on,
// until all are there: the speed of a backfill larger than memory. In every round
// each format writes the same shards, and one io.Copy a shard does.
func BenchmarkDisk(b *testing.B) {
	parent := b.TempDir() // of both, because nothing is to be removed before
	for _, writers := range []int{1, runtime.GOMAXPROCS(0)} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) { benchmarkDisk(b, parent, writers) })
	}
}

func benchmarkDisk(b *testing.B, parent string, writers int) {
	contenders := append(Formats(), "copy")
	took := make(map[string]time.Duration)
	for b.Loop() {
		for _, name := range contenders {
			took[name] += onDisk(b, parent, name, writers)
		}
		slices.Reverse(contenders) // nobody always comes first
	}
	b.ReportMetric(0, "ns/op")
	megabytes := float64(b.N) * diskShards * 10
	for _, name := range contenders {
		b.ReportMetric(megabytes/took[name].Seconds(), name+"-MB/s")
		if name != "copy" {
			b.ReportMetric(took["copy"].Seconds()/took[name].Seconds(), name+"-of-copy")
		}
	}
}

// onDisk returns how long it takes until all shards are on the disk.
func onDisk(b *testing.B, parent, name string, writers int) time.Duration {
	dir, err := os.MkdirTemp(parent, name)
	if err != nil {
		b.Fatal(err)
	}
	shard := bigShard()
	write := func(i int64) error { return copyShard(filepath.Join(dir, fmt.Sprint(i)), shard) }
	if name != "copy" {
		if _, err := Create(b.Context(), dir, Options{Format: name}); err != nil {
			b.Fatal(err)
		}
		w := writer(b, dir)
		write = func(i int64) error {
			_, err := w.Write(context.Background(), later(shard, i))
			return err
		}
	}
	return foldertest.UntilThere(b, dir, true, func() error {
		var writing errgroup.Group
		writing.SetLimit(writers)
		for i := range int64(diskShards) {
			writing.Go(func() error { return write(i) })
		}
		return writing.Wait()
	})
}
