package kvsio

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// FetchAll fetches a plan's shards without Beam: as many at once as the source
// would. It calls take from many goroutines.
func FetchAll(ctx context.Context, p ReadParams, plan *Plan, take func(framepb.Shard)) error {
	e, err := engineFor(ctx, p)
	if err != nil {
		return err
	}
	defer e.release()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(e.params.MaxInFlight)
	for _, work := range plan.Works {
		order := newWorkShards(work)
		readings := make(map[streamKey]*reading)
		for _, s := range order.streams {
			readings[s.key] = e.reading(s.key)
		}
		for k := range order.total {
			group.Go(func() error {
				span, stats := order.at(k), callStats{}
				r := readings[keyOf(span.Series)]
				t := e.gate.enter(e.shardBytes(r.stream, span.Samples))
				defer t.leave()
				<-t.admitted
				shard, err := e.fetch(ctx, r, t, span, &stats)
				if err == nil {
					take(shard)
				}
				return err
			})
		}
	}
	return group.Wait()
}

// CannedPage is an answer with n pictures of size bytes.
func CannedPage(n, size int) []byte { return cannedPage(n, size) }

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
