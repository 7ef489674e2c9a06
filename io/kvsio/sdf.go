package kvsio

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/rtrackers/offsetrange"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

func init() {
	register.DoFn4x1[
		context.Context, *sdf.LockRTracker, *framepb.Work, func(beam.EventTime, frame.Shard), error,
	](&readFn{})
	register.Emitter2[beam.EventTime, frame.Shard]()
}

// readFn is the source: its element is a work, its restriction an interval of
// the work's shards.
type readFn struct {
	Params ReadParams
}

func (fn *readFn) CreateInitialRestriction(w *framepb.Work) offsetrange.Restriction {
	return offsetrange.Restriction{Start: 0, End: grid.NewOrder(w).Total}
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
func (fn *readFn) ProcessElement(
	ctx context.Context, rt *sdf.LockRTracker, w *framepb.Work, emit func(beam.EventTime, frame.Shard),
) error {
	e, err := engineFor(ctx, fn.Params)
	if err != nil {
		return fmt.Errorf("this worker cannot read: %w", err)
	}
	defer e.release()
	d := newDispatch(ctx, e, fn.Params, emit)
	defer d.close() // a downstream error comes back through emit as a panic
	rest := rt.GetRestriction().(offsetrange.Restriction)
	return d.run(grid.NewOrder(w), rest.Start, rest.End, func(k int64) bool { return rt.TryClaim(k) })
}
