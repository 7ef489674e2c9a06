package kvsio

import (
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/io/frame"
)

// The names of the source's metrics.
const (
	MetricNamespace   = "kvsio"
	MetricCalls       = "calls"           // of GetImages, failed ones too
	MetricRetries     = "retries"         // calls that were made again
	MetricThrottles   = "throttles"       // calls that the service refused as too many
	MetricFrames      = "frames"          // frames emitted
	MetricGaps        = "gaps"            // gaps emitted; gaps_no_media and so on by reason
	MetricBytes       = "bytes"           // of pictures emitted
	MetricSkipped     = "skipped_shards"  // shards that were in the ledger already
	MetricCallLatency = "call_latency_ms" // distribution, milliseconds
)

var (
	callsMetric     = beam.NewCounter(MetricNamespace, MetricCalls)
	retriesMetric   = beam.NewCounter(MetricNamespace, MetricRetries)
	throttlesMetric = beam.NewCounter(MetricNamespace, MetricThrottles)
	framesMetric    = beam.NewCounter(MetricNamespace, MetricFrames)
	gapsMetric      = beam.NewCounter(MetricNamespace, MetricGaps)
	bytesMetric     = beam.NewCounter(MetricNamespace, MetricBytes)
	skippedMetric   = beam.NewCounter(MetricNamespace, MetricSkipped)
	latencyMetric   = beam.NewDistribution(MetricNamespace, MetricCallLatency)
	reasonMetrics   = func() map[string]beam.Counter {
		of := make(map[string]beam.Counter)
		for _, reason := range frame.GapReasons {
			of[reason] = beam.NewCounter(MetricNamespace, MetricGaps+"_"+strings.ToLower(reason))
		}
		return of
	}()
)

// countCalls and countShard are of the goroutine that Beam called: metrics of
// others would race.
func (d *dispatch) countCalls(s callStats) {
	callsMetric.Inc(d.ctx, s.calls)
	retriesMetric.Inc(d.ctx, s.retries)
	throttlesMetric.Inc(d.ctx, s.throttles)
	for _, l := range s.latencies {
		latencyMetric.Update(d.ctx, int64(l/time.Millisecond))
	}
}

func (d *dispatch) countShard(r result) {
	framesMetric.Inc(d.ctx, int64(len(r.shard.Frames)))
	gapsMetric.Inc(d.ctx, int64(len(r.shard.Gaps)))
	bytesMetric.Inc(d.ctx, r.bytes)
	for _, g := range r.shard.Gaps {
		reasonMetrics[g.Reason].Inc(d.ctx, 1)
	}
	counters.shards.Add(1)
	counters.frames.Add(int64(len(r.shard.Frames)))
	counters.gaps.Add(int64(len(r.shard.Gaps)))
	counters.bytes.Add(r.bytes)
	countSettled(r.shard.Span.Series, len(r.shard.Frames)+len(r.shard.Gaps))
}
