//go:build linux

package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
)

// bundleShards come to 400 MB: less than a second of the disk.
const bundleShards = 40

// BenchmarkFlush writes the shards of [BenchmarkDisk] as the bundles of a job do, flushed and
// not, in turn.
func BenchmarkFlush(b *testing.B) {
	parent := b.TempDir()
	for _, writers := range []int{1, runtime.GOMAXPROCS(0)} {
		for _, format := range Formats() {
			b.Run(fmt.Sprintf("%s/bundles=%d", format, writers), func(b *testing.B) {
				took := make(map[bool]time.Duration)
				order := []bool{true, false}
				for b.Loop() {
					for _, flushes := range order {
						took[flushes] += inBundles(b, parent, format, writers, flushes)
					}
					slices.Reverse(order)
				}
				b.ReportMetric(0, "ns/op")
				megabytes := float64(b.N) * diskShards * 10
				b.ReportMetric(megabytes/took[true].Seconds(), "flushed-MB/s")
				b.ReportMetric(megabytes/took[false].Seconds(), "unflushed-MB/s")
				b.ReportMetric(took[false].Seconds()/took[true].Seconds(), "of-unflushed")
			})
		}
	}
}

// inBundles returns how long it takes until all shards are on the disk.
func inBundles(b *testing.B, parent, format string, bundles int, flushes bool) time.Duration {
	if !flushes {
		disk.Watch = func(change disk.Change, do func() error) error {
			if change.Kind >= disk.FileFlush {
				return nil
			}
			return do()
		}
		defer func() { disk.Watch = nil }()
	}
	dir, err := os.MkdirTemp(parent, filepath.Base(format))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := Create(b.Context(), dir, Options{Format: format}); err != nil {
		b.Fatal(err)
	}
	shard := bigShard()
	// What is flushed is there: to flush all besides would only be in its way.
	return foldertest.UntilThere(b, dir, !flushes, func() error {
		var writing errgroup.Group
		writing.SetLimit(bundles)
		for from := int64(0); from < diskShards; from += bundleShards {
			writing.Go(func() error { return writeBundle(b, dir, shard, from) })
		}
		return writing.Wait()
	})
}

func writeBundle(b *testing.B, dir string, shard frame.Shard, from int64) error {
	receipts, blocks := func(*framepb.Receipt) {}, func(string, *framepb.Request) {}
	fn := &writeFn{Dir: dir}
	if err := fn.Setup(b.Context()); err != nil {
		return err
	}
	fn.StartBundle(b.Context(), receipts, blocks)
	for i := range int64(bundleShards) {
		if err := fn.ProcessElement(b.Context(), later(shard, from+i), receipts, blocks); err != nil {
			return err
		}
	}
	return fn.FinishBundle(b.Context(), receipts, blocks)
}
