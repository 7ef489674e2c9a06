package kvsio

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// FetchAll fetches a plan's shards without Beam: as many at once as the source
// would. It calls take from many goroutines.
func FetchAll(ctx context.Context, p ReadParams, plan *Plan, take func(frame.Shard)) error {
	e, err := engineFor(ctx, p)
	if err != nil {
		return err
	}
	defer e.release()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(e.params.MaxInFlight)
	for _, work := range plan.Works {
		order := grid.NewOrder(work)
		readings := make(map[grid.StreamKey]*reading)
		for _, key := range order.Streams() {
			readings[key] = e.reading(key)
		}
		for k := range order.Total {
			group.Go(func() error {
				span, stats := order.At(k), callStats{}
				r := readings[grid.KeyOf(span.Series)]
				t := e.admission.Enter(e.shardBytes(r.stream, span.Samples))
				defer t.Leave()
				<-t.Admitted()
				shard, err := e.fetch(ctx, r, t, all(span), &stats)
				if err == nil {
					take(shard)
				}
				return err
			})
		}
	}
	return group.Wait()
}

// AttemptsAtOnce makes attempts wait for next to nothing, until what it returns
// is called.
func AttemptsAtOnce() (restore func()) {
	all := []*attempts{&patientAttempts, &pacedAttempts, &readyAttempts, &quickAttempts}
	was := make([]attempts, len(all))
	for i, a := range all {
		was[i], a.base = *a, time.Microsecond
	}
	return func() {
		for i, a := range all {
			*a = was[i]
		}
	}
}
