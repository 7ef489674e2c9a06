package grid

import (
	"iter"

	"github.com/kvsframes/kvsframes/io/frame"
)

// MaxRange is the longest range that GetImages takes, in milliseconds.
const MaxRange = 300_000

// ShardCount returns the number of shards of a run: it is cut at the multiples
// of n samples, so that two overlapping requests have the same shards.
func ShardCount(run frame.Span, n int64) int64 {
	return (run.End()-1)/n - run.First/n + 1
}

// ShardAt returns shard k of a run, 0 <= k < ShardCount(run, n).
func ShardAt(run frame.Span, n, k int64) frame.Span {
	cell := (run.First/n + k) * n
	first := max(run.First, cell)
	return frame.Span{Series: run.Series, First: first, Samples: min(run.End(), cell+n) - first}
}

// SplitShards splits a run before its first shard that has a sample at index i or after it.
func SplitShards(run frame.Span, n, i int64) (before, rest frame.Span) {
	at := min(max(i-i%n, run.First), run.End())
	if i >= run.End() {
		at = run.End()
	}
	return run.Slice(run.First, at), run.Slice(at, run.End())
}

// Window is the part of a shard that one GetImages range covers: N instants,
// Step milliseconds apart.
type Window struct {
	Start, Step int64 // milliseconds, Start since the epoch
	N           int   // instants
}

// End returns the end of the range. It lies before the instant after the window, so
// that the samples are the same whether the service takes an end as inclusive or not.
func (w Window) End() int64 { return min(w.Start+int64(w.N)*w.Step-1, w.Start+MaxRange) }

// At returns instant k of the window.
func (w Window) At(k int) int64 { return w.Start + int64(k)*w.Step }

// WindowSamples returns how many samples, step milliseconds apart, fit one range:
// at least one.
func WindowSamples(step int64) int64 { return max(1, (MaxRange+1)/step) }

// Windows cuts a shard into windows, in order of time.
func Windows(shard frame.Span) iter.Seq[Window] {
	step := int64(shard.Series.IntervalMs)
	most := WindowSamples(step)
	return func(yield func(Window) bool) {
		for i := shard.First; i < shard.End(); i += most {
			w := Window{Start: shard.Series.At(i), Step: step, N: int(min(most, shard.End()-i))}
			if !yield(w) {
				return
			}
		}
	}
}
