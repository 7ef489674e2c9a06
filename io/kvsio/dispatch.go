package kvsio

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"github.com/kvsframes/kvsframes/internal/keys"
	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/admit"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// dispatch is the shards that one ProcessElement has claimed. Only that
// goroutine calls its methods, emits and touches metrics.
type dispatch struct {
	ctx      context.Context
	cancel   context.CancelFunc
	engine   *engine
	params   ReadParams
	emit     func(beam.EventTime, frame.Shard)
	streams  []*reading // as the work's order has them
	again    grid.Again // shards that the ledger had when the work was planned
	whole    bool       // which are fetched whole
	finished chan result
	underWay int // shards that have not come through finished

	claimed, emitted, skipped int64
}

type result struct {
	ticket *admit.Ticket
	stream *reading
	began  time.Time
	look   look // none: the ledger has the shard
	shard  frame.Shard
	bytes  int64
	stats  callStats
	err    error
}

func newDispatch(ctx context.Context, e *engine, p ReadParams, emit func(beam.EventTime, frame.Shard)) *dispatch {
	ctx, cancel := context.WithCancel(ctx)
	return &dispatch{ctx: ctx, cancel: cancel, engine: e, params: p, emit: emit, finished: make(chan result)}
}

// run reads the shards from start to end of a work's order, as far as claim lets it.
func (d *dispatch) run(w *framepb.Work, start, end int64, claim func(int64) bool) error {
	order := grid.NewOrder(w)
	d.again, d.whole = grid.AgainIn(w), w.Whole
	for _, key := range order.Streams() {
		d.streams = append(d.streams, d.engine.reading(key))
	}
	turns := grid.NewTurns(order, start, end)
	for !turns.Over() {
		if err := d.next(turns, claim); err != nil {
			return err
		}
	}
	if turns.End == end {
		claim(end) // says that all is claimed
	}
	return d.drain()
}

// next starts a shard or delivers one, whichever can be done first: bundles
// that only waited would block each other. Starting comes first, so that calls
// are under way while shards are delivered; and no slot waits for a sink, so the
// place in the queue is given up for a delivery.
func (d *dispatch) next(turns *grid.Turns, claim func(int64) bool) error {
	relaxed := d.engine.relaxed.next()
	turn, ok := turns.Choose(func(j int) (int, bool) { return d.streams[j].load() })
	if !ok {
		select { // all have as much as their quotas can take
		case <-relaxed:
			return nil
		case r := <-d.finished:
			return d.deliver(r)
		case <-d.ctx.Done():
			return d.ctx.Err()
		}
	}
	s := d.streams[turn.Stream]
	t := d.engine.admission.Enter(d.engine.shardBytes(s.stream, turns.Order.ShardSamples))
	select {
	case <-t.Admitted():
	default:
		select {
		case <-t.Admitted():
		case r := <-d.finished:
			t.Leave()
			return d.deliver(r)
		case <-d.ctx.Done():
			t.Leave()
			return d.ctx.Err()
		}
	}
	before := turns.Claimed
	span, ok := turns.Start(turn, claim)
	d.claimed += turns.Claimed - before
	if !ok {
		t.Leave()
		return nil
	}
	d.start(t, s, span)
	return nil
}

// start starts the calls of a claimed shard.
func (d *dispatch) start(t *admit.Ticket, s *reading, span frame.Span) {
	d.underWay++
	s.inHand.Add(1)
	go func() {
		r := result{ticket: t, stream: s, began: time.Now()}
		late, again := d.again[span]
		r.look, r.err = d.params.atDispatch(d.ctx, span, again, late, d.whole)
		if n := frame.Count(r.look.asked); r.err == nil && n > 0 {
			if n < span.Samples {
				t.Resize(d.engine.shardBytes(s.stream, n))
			}
			r.shard, r.err = d.engine.fetch(d.ctx, s, t, r.look, &r.stats)
			r.bytes = bytesOf(r.shard)
		}
		t.Resize(withGarbage(r.bytes))
		d.finished <- r
	}()
}

// over gives back what a shard held.
func (d *dispatch) over(r result) {
	r.ticket.Leave()
	r.stream.inHand.Add(-1)
}

// deliver emits a finished shard.
func (d *dispatch) deliver(r result) error {
	d.underWay--
	defer d.over(r)
	d.countCalls(r.stats)
	if r.err != nil && keys.IsRefusal(r.err) {
		d.engine.refused.Store(true)
	}
	switch {
	case d.ctx.Err() != nil:
		return d.ctx.Err()
	case r.err == nil && len(r.look.asked) == 0:
		d.skipped++
		skippedMetric.Inc(d.ctx, 1)
		counters.skipped.Add(1)
		return nil
	case r.err != nil && (!d.params.KeepGoing || r.shard.Span != r.look.shard || judge(r.err) == helpless || d.isCutOff(r)):
		return r.err
	case r.err != nil:
		log.Warnf(d.ctx, "kept going: %s", outside.Text(r.err.Error()))
	}
	span, asked := r.look.shard, frame.Count(r.look.asked)
	if have := len(r.shard.Frames) + len(r.shard.Gaps); int64(have) != asked {
		return fmt.Errorf("reading %d samples of %v: %d frames and gaps", asked, span, have)
	}
	d.countShard(r)
	d.emit(mtime.FromMilliseconds(span.Series.At(span.First)), r.shard)
	d.emitted++
	return nil
}

// isCutOff reports whether a shard failed because no stream can be reached: to go on would make gaps of all that
// is left, at the pace at which calls give up.
func (d *dispatch) isCutOff(r result) bool {
	return unreachable(r.err) && !d.engine.retries.succeededSince(r.began)
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
		d.over(<-d.finished)
	}
}
