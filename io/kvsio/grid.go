package kvsio

import (
	"iter"
	"strconv"
	"time"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// maxRange is the longest range that GetImages takes, in milliseconds.
const maxRange = 300_000

// Span returns the samples that a valid request asks for: those of its series'
// grid in [StartTimestamp, EndTimestamp), at least one. The grid's phase is
// StartTimestamp modulo SamplingInterval. Timestamps are rounded to the
// nearest millisecond.
func (r Request) Span() framepb.Span {
	interval := r.SamplingInterval.Milliseconds()
	start := toMillis(r.StartTimestamp)
	end := max(toMillis(r.EndTimestamp), start+1)
	series := framepb.Series{
		StreamARN:         r.StreamARN,
		StreamName:        r.StreamName,
		ImageSelectorType: r.ImageSelectorType,
		IntervalMs:        int32(interval),
		PhaseMs:           int32(start % interval),
		Format:            r.Format,
		JPEGQuality:       r.quality(),
		WidthPixels:       int32(r.WidthPixels),
		HeightPixels:      int32(r.HeightPixels),
	}
	if name, ok := framepb.NameInARN(r.StreamARN); ok {
		series.StreamName = name
	}
	return framepb.Span{
		Series:  series,
		First:   start / interval,
		Samples: (end - start + interval - 1) / interval,
	}
}

// quality makes a quality that is not said and the service's default for it
// the same series. It does not apply to PNG.
func (r Request) quality() int32 {
	if r.Format != framepb.JPEG {
		return 0
	}
	if q, err := strconv.Atoi(r.FormatConfig[qualityKey]); err == nil {
		return int32(q)
	}
	return 80
}

func toMillis(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) >= int(time.Millisecond)/2 {
		ms++
	}
	return ms
}

// shardCount returns the number of shards of a run: it is cut at the multiples
// of n, so that two overlapping requests have the same shards.
func shardCount(run framepb.Span, n int64) int64 {
	return (run.End()-1)/n - run.First/n + 1
}

// shardAt returns shard k of a run, 0 <= k < shardCount(run, n).
func shardAt(run framepb.Span, n, k int64) framepb.Span {
	cell := (run.First/n + k) * n
	first := max(run.First, cell)
	return framepb.Span{Series: run.Series, First: first, Samples: min(run.End(), cell+n) - first}
}

// window is the part of a shard that one GetImages range covers: n instants,
// step milliseconds apart.
type window struct {
	start, step int64 // milliseconds
	n           int
}

// end returns the range's last instant. It lies before the instant after the
// window, so that the samples are the same whether the service takes an end
// as inclusive or not.
func (w window) end() int64 { return min(w.start+int64(w.n)*w.step-1, w.start+maxRange) }

// at returns instant k of the window.
func (w window) at(k int) int64 { return w.start + int64(k)*w.step }

// windowSamples returns how many samples, step milliseconds apart, fit one range.
func windowSamples(step int64) int64 { return max(1, (maxRange+1)/step) }

// windows cuts a shard into windows, in order of time.
func windows(shard framepb.Span) iter.Seq[window] {
	step := int64(shard.Series.IntervalMs)
	most := windowSamples(step)
	return func(yield func(window) bool) {
		for i := shard.First; i < shard.End(); i += most {
			w := window{start: shard.Series.At(i), step: step, n: int(min(most, shard.End()-i))}
			if !yield(w) {
				return
			}
		}
	}
}
