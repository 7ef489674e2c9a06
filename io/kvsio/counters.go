package kvsio

import (
	"sync"
	"sync/atomic"

	"github.com/kvsframes/kvsframes/io/frame"
)

// Counts is what this process has fetched so far, over all pipelines in it. It
// is for showing progress: what a job did is in its ledger.
type Counts struct {
	Shards  int64 // fetched
	Skipped int64 // shards that were in the ledger already
	Frames  int64
	Gaps    int64
	Bytes   int64 // of pictures, encoded
	Calls   int64 // of GetImages, failed ones too
	Retries int64 // calls that were made again
	// Throttles counts the calls that the service refused as too many.
	Throttles int64
}

var counters struct {
	shards, skipped, frames, gaps, bytes, calls, retries, throttles atomic.Int64
}

// Counters returns what this process has fetched so far.
func Counters() Counts {
	c := &counters
	return Counts{
		Shards: c.shards.Load(), Skipped: c.skipped.Load(), Frames: c.frames.Load(), Gaps: c.gaps.Load(),
		Bytes: c.bytes.Load(), Calls: c.calls.Load(), Retries: c.retries.Load(), Throttles: c.throttles.Load(),
	}
}

// settled counts by series what counters count of all: *atomic.Int64 by frame.Series.
var settled sync.Map

// CountersBySeries returns of how many samples of each series this process has got a frame or a
// gap so far.
func CountersBySeries() map[frame.Series]int64 {
	counts := make(map[frame.Series]int64)
	settled.Range(func(series, count any) bool {
		counts[series.(frame.Series)] = count.(*atomic.Int64).Load()
		return true
	})
	return counts
}

func countSettled(series frame.Series, samples int) {
	count, ok := settled.Load(series)
	if !ok {
		count, _ = settled.LoadOrStore(series, new(atomic.Int64))
	}
	count.(*atomic.Int64).Add(int64(samples))
}

// count adds one to a shard's figure and to the process's.
func count(of *int64, all *atomic.Int64) {
	*of++
	all.Add(1)
}
