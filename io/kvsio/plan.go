package kvsio

import (
	"context"
	"fmt"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// Plan is what is to be read: what was asked, minus what the ledger has, cut
// into works.
type Plan struct {
	Asked   []frame.Span    // the union of the requests, by series and time
	Missing []frame.Span    // the runs to fetch, by series and time
	Shards  int64           // that the runs are cut into
	Skipped int64           // that are asked for and in the ledger already
	Works   []*framepb.Work // the elements of the source
}

// NewPlan plans requests, for ReadPlan. It reads the ledger (ReadParams.Ledger), if
// there is one, and makes no calls to AWS. Its errors name every invalid request and
// parameter, a Ledger without a dataset and a ShardSamples that is not the dataset's, or
// say why the ledger cannot be read.
func NewPlan(ctx context.Context, p ReadParams, requests []Request) (*Plan, error) {
	if err := validate(p, requests); err != nil {
		return nil, err
	}
	p, err := p.asDataset(ctx)
	if err != nil {
		return nil, err
	}
	p = p.withDefaults()
	spans, tagged := make([]frame.Span, len(requests)), make([]grid.Tagged, len(requests))
	for i, r := range requests {
		spans[i] = r.Span()
		tagged[i] = grid.Tagged{Tag: r.Tag, Span: spans[i]}
	}
	plan, err := planFrom(p, spans, func(series frame.Series) (done, again []frame.Span, err error) {
		return p.inLedger(ctx, series)
	})
	if err != nil {
		return nil, err
	}
	grid.NewTags(tagged).AddTo(plan.Works)
	return plan, nil
}

// lookup returns the shards of a series that a ledger has: those that are
// done, and those that are there but to be fetched again.
type lookup func(frame.Series) (done, again []frame.Span, err error)

func planFrom(p ReadParams, spans []frame.Span, have lookup) (*Plan, error) {
	plan := &Plan{Asked: grid.Union(spans)}
	n := int64(p.ShardSamples)
	for asked := range grid.BySeries(plan.Asked) {
		done, again, err := have(asked[0].Series)
		if err != nil {
			return nil, fmt.Errorf("planning %s: %w", asked[0].Series.StreamName, err)
		}
		plan.Missing = append(plan.Missing, grid.Difference(asked, done, again)...)
		for _, shard := range done {
			if grid.Overlaps(asked, shard) {
				plan.Skipped++
			}
		}
	}
	for _, run := range plan.Missing {
		plan.Shards += grid.ShardCount(run, n)
	}
	plan.Works = grid.CutWorks(plan.Missing, n, p.works(spans))
	return plan, nil
}
