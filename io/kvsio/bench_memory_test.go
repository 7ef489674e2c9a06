package kvsio_test

import (
	"fmt"
	"testing"
	"time"
)

const megabyte = 1e6

// BenchmarkMemory compares what processes are resident with at most that read
// 10,000 and 200,000 frames of 100 kB on prism (20,000 with -short). A second of
// work may end before the collector is late once: of the short ones five run, and
// the most that one took counts.
func BenchmarkMemory(b *testing.B) {
	few, many := 10_000, 200_000
	if testing.Short() {
		many = 20_000
	}
	w := newWorld(b, worldConfig{streams: 1, picture: 100_000})
	read := func(frames int) int64 {
		return job{Params: paramsOf(w.server), Requests: w.ask(frames)}.do(b, frames*w.picture).Peak
	}
	for b.Loop() {
		less, more := int64(0), read(many)
		for range 5 {
			less = max(less, read(few))
		}
		b.ReportMetric(float64(less)/megabyte, fmt.Sprintf("MB/%d-frames", few))
		b.ReportMetric(float64(more)/megabyte, fmt.Sprintf("MB/%d-frames", many))
		b.ReportMetric(float64(more)/float64(less), "x-memory")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkSlowSink measures what a process is resident with at most whose sink
// takes ten times as long for a shard as the source does, so that the memory
// budget is all in use: three times the budget, in frames of 180 kB.
func BenchmarkSlowSink(b *testing.B) {
	for _, mebibytes := range []int{256, 1024} {
		b.Run(fmt.Sprintf("budget %d MiB", mebibytes), func(b *testing.B) {
			w := newWorld(b, worldConfig{streams: 1, picture: 180_000})
			p := paramsOf(w.server)
			p.MaxInFlight = 128 // the budget is to be the limit
			p.MemoryBudget = int64(mebibytes) << 20
			shards := 3 * int(p.MemoryBudget) / (100 * w.picture)
			j := job{Params: p, Requests: w.ask(100 * shards)}
			for b.Loop() {
				fast := j.do(b, 100*shards*w.picture)
				slow := j
				slow.PerShard = time.Duration(10 * fast.Seconds / float64(shards) * float64(time.Second))
				resident := slow.do(b, 100*shards*w.picture).Peak
				b.ReportMetric(float64(fast.Peak)/megabyte, "MB/fast-sink")
				b.ReportMetric(float64(resident)/megabyte, "MB/slow-sink")
				b.ReportMetric(float64(resident-p.MemoryBudget)/megabyte, "MB-over-budget")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkLargePictures measures the same where pictures turn out fifteen times
// as large as a process takes them for before it has seen one: eight streams
// begin at once.
func BenchmarkLargePictures(b *testing.B) {
	w := newWorld(b, worldConfig{streams: 8, picture: 3_000_000})
	p := paramsOf(w.server)
	p.MemoryBudget = 1 << 30
	j := job{Params: p, Requests: w.ask(100)}
	for b.Loop() {
		resident := j.do(b, 8*100*w.picture).Peak
		b.ReportMetric(float64(resident)/megabyte, "MB")
		b.ReportMetric(float64(resident-p.MemoryBudget)/megabyte, "MB-over-budget")
	}
	b.ReportMetric(0, "ns/op")
}
