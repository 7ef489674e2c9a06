package kvsio

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/rtrackers/offsetrange"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

func init() {
	// A method that is registered as a function is called without reflection. The
	// generic register.DoFn4x1 does the same, and takes the compiler 4 s.
	beam.RegisterDoFn(&readFn{})
	register.Function4x1((&readFn{}).ProcessElement)
	register.Emitter2[beam.EventTime, frame.Shard]()
	beam.RegisterDoFn(&readSamplesFn{})
	register.Function6x1((&readSamplesFn{}).ProcessElement)
	register.Emitter2[beam.EventTime, frame.Frame]()
	register.Emitter2[beam.EventTime, frame.Gap]()
	register.Emitter2[string, unread]()
}

// source is what the DoFns that read have in common: their element is a work, their
// restriction an interval of the work's shards.
type source struct {
	Params ReadParams
}

func (*source) CreateInitialRestriction(w *framepb.Work) offsetrange.Restriction {
	return offsetrange.Restriction{Start: 0, End: grid.NewOrder(w).Total}
}

// SplitRestriction leaves the restriction whole. Initial splits do not spread
// a work over a cluster, and each of them copies it.
func (*source) SplitRestriction(_ *framepb.Work, r offsetrange.Restriction) []offsetrange.Restriction {
	return []offsetrange.Restriction{r}
}

func (*source) RestrictionSize(_ *framepb.Work, r offsetrange.Restriction) float64 {
	return r.Size()
}

func (*source) CreateTracker(r offsetrange.Restriction) *sdf.LockRTracker {
	return sdf.NewLockRTracker(offsetrange.NewTracker(r))
}

// read claims a shard when its calls can start, not before: so a split takes only
// shards that nobody has started. Shards go out as soon as they are whole, in any order.
func (fn *source) read(
	ctx context.Context, rt *sdf.LockRTracker, w *framepb.Work, emit func(beam.EventTime, frame.Shard),
) error {
	p := fn.Params
	p.AWS = p.AWS.inRegionOf(arnsIn(w)) // where a worker has planned, nobody knew it before
	e, err := engineFor(ctx, p)
	if err != nil {
		return fmt.Errorf("this worker cannot read: %w", err)
	}
	defer e.release()
	d := newDispatch(ctx, e, p, emit)
	defer d.close() // a downstream error comes back through emit as a panic
	rest := rt.GetRestriction().(offsetrange.Restriction)
	return d.run(w, rest.Start, rest.End, func(k int64) bool { return rt.TryClaim(k) })
}

func arnsIn(w *framepb.Work) []string {
	arns := make([]string, len(w.Series))
	for i, s := range w.Series {
		arns[i] = s.GetStreamArn()
	}
	return arns
}

// readFn reads shards.
type readFn struct{ source }

func (fn *readFn) ProcessElement(
	ctx context.Context, rt *sdf.LockRTracker, w *framepb.Work, emit func(beam.EventTime, frame.Shard),
) error {
	return fn.read(ctx, rt, w, emit)
}

// readSamplesFn reads shards, and takes them apart: each sample goes out at its own
// time, once under each tag that it is asked for under.
type readSamplesFn struct{ source }

func (fn *readSamplesFn) ProcessElement(
	ctx context.Context, rt *sdf.LockRTracker, w *framepb.Work, frames func(beam.EventTime, frame.Frame),
	gaps func(beam.EventTime, frame.Gap), failed func(string, unread),
) error {
	tags := grid.TagsOf(w)
	return fn.read(ctx, rt, w, func(_ beam.EventTime, shard frame.Shard) {
		for tag, span := range tags.In(shard.Span) {
			for _, f := range samplesIn(span, shard.Frames) {
				f.Tag = tag
				frames(mtime.FromMilliseconds(f.SampleMs), f)
			}
			lacking := samplesIn(span, shard.Gaps)
			for _, g := range lacking {
				g.Tag = tag
				gaps(mtime.FromMilliseconds(g.SampleMs), g)
			}
			for _, u := range failedIn(span, lacking) {
				u.Tag = tag
				failed(u.key(), u)
			}
		}
	})
}

// samplesIn returns those of a shard's frames, or of its gaps, that are in a span.
func samplesIn[Sample interface{ SampleTime() time.Time }](span frame.Span, samples []Sample) []Sample {
	before := func(index int64) int {
		ms := span.Series.At(index)
		return sort.Search(len(samples), func(i int) bool { return samples[i].SampleTime().UnixMilli() >= ms })
	}
	return samples[before(span.First):before(span.End())]
}
