package kvsio

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/rtrackers/offsetrange"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/framepb"
)

func init() {
	register.DoFn4x1[context.Context, *sdf.LockRTracker, *framepb.Work, func(beam.EventTime, framepb.Shard), error](&readFn{})
	register.Emitter2[beam.EventTime, framepb.Shard]()
}

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
		for _, reason := range framepb.GapReasons {
			of[reason] = beam.NewCounter(MetricNamespace, MetricGaps+"_"+strings.ToLower(reason))
		}
		return of
	}()
)

// readFn is the source: its element is a work, its restriction an interval of
// the work's shards.
type readFn struct {
	Params ReadParams
}

func (fn *readFn) CreateInitialRestriction(w *framepb.Work) offsetrange.Restriction {
	return offsetrange.Restriction{Start: 0, End: newWorkShards(w).total}
}

// SplitRestriction leaves the restriction whole. Initial splits do not spread
// a work over a cluster, and each of them copies it.
func (fn *readFn) SplitRestriction(_ *framepb.Work, r offsetrange.Restriction) []offsetrange.Restriction {
	return []offsetrange.Restriction{r}
}

func (fn *readFn) RestrictionSize(_ *framepb.Work, r offsetrange.Restriction) float64 {
	return r.Size()
}

func (fn *readFn) CreateTracker(r offsetrange.Restriction) *sdf.LockRTracker {
	return sdf.NewLockRTracker(offsetrange.NewTracker(r))
}

// ProcessElement claims a shard when its calls can start, not before: so a
// split takes only shards that nobody has started. Shards go out as soon as
// they are whole, in any order.
func (fn *readFn) ProcessElement(ctx context.Context, rt *sdf.LockRTracker, w *framepb.Work, emit func(beam.EventTime, framepb.Shard)) error {
	e, err := engineFor(ctx, fn.Params)
	if err != nil {
		return err
	}
	d := newDispatch(ctx, e, fn.Params, emit)
	defer d.close() // a downstream error comes back through emit as a panic
	order := newWorkShards(w)
	rest := rt.GetRestriction().(offsetrange.Restriction)
	for k := rest.Start; k < rest.End; k++ {
		shard := order.at(k)
		t, err := d.enter(e.shardBytes(shard.Samples))
		if err != nil {
			return err
		}
		if !rt.TryClaim(k) {
			t.leave()
			return d.drain()
		}
		d.start(t, shard)
	}
	rt.TryClaim(rest.End) // says that all is claimed
	return d.drain()
}

// dispatch is the shards that one ProcessElement has claimed. Only that
// goroutine calls its methods, emits and touches metrics.
type dispatch struct {
	ctx      context.Context
	cancel   context.CancelFunc
	engine   *engine
	params   ReadParams
	emit     func(beam.EventTime, framepb.Shard)
	finished chan result
	underWay int // shards that have not come through finished

	claimed, emitted, skipped int64
}

type result struct {
	ticket  *ticket
	span    framepb.Span
	shard   framepb.Shard
	bytes   int64
	skipped bool // the ledger has it
	stats   callStats
	err     error
}

func newDispatch(ctx context.Context, e *engine, p ReadParams, emit func(beam.EventTime, framepb.Shard)) *dispatch {
	ctx, cancel := context.WithCancel(ctx)
	return &dispatch{ctx: ctx, cancel: cancel, engine: e, params: p, emit: emit, finished: make(chan result)}
}

// enter waits for a slot and memory for a shard, and delivers finished shards
// meanwhile: bundles that only waited would block each other. A free slot comes
// first, so that calls are under way while shards are delivered; and no slot
// waits for a sink, so the place in the queue is given up for a delivery.
func (d *dispatch) enter(bytes int64) (*ticket, error) {
	for {
		t := d.engine.gate.enter(bytes)
		select {
		case <-t.admitted:
			return t, nil
		default:
		}
		select {
		case <-t.admitted:
			return t, nil
		case r := <-d.finished:
			t.leave()
			if err := d.deliver(r); err != nil {
				return nil, err
			}
		case <-d.ctx.Done():
			t.leave()
			return nil, d.ctx.Err()
		}
	}
}

// start starts the calls of a claimed shard.
func (d *dispatch) start(t *ticket, span framepb.Span) {
	d.claimed++
	d.underWay++
	go func() {
		r := result{ticket: t, span: span}
		if r.skipped, r.err = d.params.done(span); r.err == nil && !r.skipped {
			r.shard, r.err = d.engine.fetch(d.ctx, span, &r.stats)
			r.bytes = d.engine.learn(r.shard)
		}
		t.fetched(r.bytes)
		d.finished <- r
	}()
}

// deliver emits a finished shard.
func (d *dispatch) deliver(r result) error {
	d.underWay--
	defer r.ticket.leave()
	d.countCalls(r.stats)
	switch {
	case d.ctx.Err() != nil:
		return d.ctx.Err()
	case r.skipped:
		d.skipped++
		skippedMetric.Inc(d.ctx, 1)
		counters.skipped.Add(1)
		return nil
	case r.err != nil && (!d.params.KeepGoing || r.shard.Span != r.span):
		return r.err
	case r.err != nil:
		log.Warnf(d.ctx, "kept going: %v", r.err)
	}
	if have := len(r.shard.Frames) + len(r.shard.Gaps); int64(have) != r.span.Samples {
		return fmt.Errorf("reading %v: %d frames and gaps", r.span, have)
	}
	d.countShard(r)
	d.emit(mtime.FromMilliseconds(r.span.Series.At(r.span.First)), r.shard)
	d.emitted++
	return nil
}

// drain delivers what is under way. Beam's own check of a restriction sees
// claims only: whether they came out is checked here.
func (d *dispatch) drain() error {
	for d.underWay > 0 {
		select {
		case r := <-d.finished:
			if err := d.deliver(r); err != nil {
				return err
			}
		case <-d.ctx.Done():
			return d.ctx.Err()
		}
	}
	if d.claimed != d.emitted+d.skipped {
		return fmt.Errorf("%d shards claimed, but %d emitted and %d skipped", d.claimed, d.emitted, d.skipped)
	}
	return d.ctx.Err()
}

// close ends what is under way, and returns when no goroutine is left.
func (d *dispatch) close() {
	d.cancel()
	for ; d.underWay > 0; d.underWay-- {
		r := <-d.finished
		r.ticket.leave()
	}
}

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
}
