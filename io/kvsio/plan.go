package kvsio

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// Plan is what is to be read: what was asked, minus what the ledger has, cut
// into works.
type Plan struct {
	Asked   []frame.Span    // the union of the requests, by series and time
	Missing []frame.Span    // the samples to ask the service for, by series and time
	Shards  int64           // that have such samples
	Skipped int64           // that are asked for and in the ledger already, as they are cut now
	Works   []*framepb.Work // the elements of the source

	// Late is those of Missing that are NO_MEDIA gaps of the ledger which may have footage by now
	// (LedgerParams.LookAgain), by series and time. They may lie outside of Asked.
	Late []frame.Span
}

// NewPlan plans requests, for ReadPlan. It reads the ledger (ReadParams.Ledger), if
// there is one, and makes no calls to AWS but those of LedgerParams.LookAgain. Its errors name every
// invalid request and parameter, a Ledger without a dataset and a ShardSamples that is not the dataset's, or
// say why the ledger cannot be read.
func NewPlan(ctx context.Context, p ReadParams, requests []Request) (*Plan, error) {
	if err := validate(p, requests); err != nil {
		return nil, err
	}
	p, desc, err := p.asDataset(ctx)
	if err != nil {
		return nil, err
	}
	p = p.withDefaults()
	spans, tagged := make([]frame.Span, len(requests)), make([]grid.Tagged, len(requests))
	for i, r := range requests {
		spans[i] = r.Span()
		tagged[i] = grid.Tagged{Tag: r.Tag, Span: spans[i]}
	}
	inLedger := ledgerLookup{LedgerParams: p.LedgerParams, whole: ledger.LooksAround(desc.GetTransforms())}
	if p.Ledger != "" && p.LookAgain > 0 {
		read := p
		read.AWS = p.AWS.inRegionOf(arnsOf(requests))
		e, err := engineFor(ctx, read)
		if err != nil {
			return nil, err
		}
		defer e.release()
		inLedger.recent, inLedger.footage = e.now().Add(-p.LookAgain), e.footageOf
	}
	plan, err := planFrom(p, spans, func(asked []frame.Span) (done []frame.Span, again []look, err error) {
		return inLedger.find(ctx, asked)
	})
	if err != nil {
		return nil, err
	}
	for _, w := range plan.Works {
		w.Whole = inLedger.whole
	}
	grid.NewTags(tagged).AddTo(plan.Works)
	return plan, nil
}

// lookup returns the shards that a ledger has of a series, of which samples are asked
// for: those that are done, and those that are there but to be looked at again.
type lookup func(asked []frame.Span) (done []frame.Span, again []look, err error)

// byAge orders the runs of streams, which stand together, so that what ages out first comes
// first. What the stream keeps no more comes after what it keeps, of a series: nobody can be too
// late for it.
func (p ReadParams) byAge(runs []frame.Span) []frame.Span {
	if len(p.Retention) == 0 {
		return runs
	}
	now := time.Now().Add(p.ClockSkew).UnixMilli()
	ends := make(map[grid.StreamKey]int64) // when the first footage of a stream that it keeps ages out
	var ordered []frame.Span
	for of := range grid.BySeries(runs) {
		retention, key := p.Retention[of[0].Series.StreamARN].Milliseconds(), grid.KeyOf(of[0].Series)
		if _, ok := ends[key]; !ok {
			ends[key] = math.MaxInt64
		}
		if retention == 0 {
			ordered = append(ordered, of...)
			continue
		}
		var old []frame.Span
		for _, run := range of {
			lost, kept := grid.SplitShards(run, int64(p.ShardSamples), run.Series.Index(now-retention)+1)
			if lost.Samples > 0 {
				old = append(old, lost)
			}
			if kept.Samples > 0 {
				ordered = append(ordered, kept)
				ends[key] = min(ends[key], max(kept.Series.At(kept.First)+retention, now))
			}
		}
		ordered = append(ordered, old...)
	}
	slices.SortStableFunc(ordered, func(a, b frame.Span) int {
		return cmp.Compare(ends[grid.KeyOf(a.Series)], ends[grid.KeyOf(b.Series)])
	})
	return ordered
}

func planFrom(p ReadParams, spans []frame.Span, have lookup) (*Plan, error) {
	plan := &Plan{Asked: grid.Union(spans)}
	n := int64(p.ShardSamples)
	var runs []frame.Span
	again := make(grid.Again)
	for asked := range grid.BySeries(plan.Asked) {
		done, looks, err := have(asked)
		if err != nil {
			return nil, fmt.Errorf("planning %s: %w", asked[0].Series.StreamName, err)
		}
		redo, wanted := make([]frame.Span, len(looks)), []frame.Span(nil)
		for i, look := range looks {
			redo[i] = look.shard
			wanted = append(wanted, look.asked...)
			again[look.shard] = look.late
			plan.Late = append(plan.Late, look.late...)
		}
		anew := frame.Minus(asked, frame.Union(slices.Concat(done, redo)))
		plan.Missing = append(plan.Missing, frame.Union(append(wanted, anew...))...)
		runs = append(runs, grid.Difference(frame.Union(slices.Concat(asked, redo)), done, redo)...)
		for _, there := range frame.Common(asked, frame.Union(done)) {
			plan.Skipped += grid.ShardCount(there, n)
		}
	}
	for _, run := range runs {
		plan.Shards += grid.ShardCount(run, n)
	}
	plan.Works = grid.CutWorks(p.byAge(runs), n, p.works(spans))
	grid.MarkAgain(plan.Works, again)
	return plan, nil
}
