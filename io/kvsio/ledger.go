package kvsio

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// What the ledger has, and whether that is the end of it.

// ledgerReaders is how many receipts are read at once for a plan.
const ledgerReaders = 16

// asDataset returns p with the ShardSamples of the ledger's dataset, and its description,
// which is nil where there is no ledger. It refuses others: no shard could be found in the
// ledger, nor written to the dataset.
func (p ReadParams) asDataset(ctx context.Context) (ReadParams, *framepb.Dataset, error) {
	if p.Ledger == "" {
		return p, nil, nil
	}
	desc, err := ledger.Open(p.Ledger).Description(ctx)
	if errors.Is(err, ledger.ErrNoDataset) {
		return p, nil, fault.Of("Ledger", ": %w: it must be the folder, or the URL, of a dataset that is there: "+
			"make it with %s, or leave %s empty", err, fault.Name("dataset.Create"), fault.Name("Ledger"))
	}
	if err != nil {
		return p, nil, fault.Of("Ledger", ": %w", err)
	}
	has := int(desc.ShardSamples)
	if p.ShardSamples != 0 && p.ShardSamples != has {
		return p, nil, fault.New("ShardSamples", p.ShardSamples,
			fault.Errorf("%d, which the dataset %q has, or 0 for that", has, p.Ledger))
	}
	p.ShardSamples = has
	return p, desc, nil
}

// inLedger is the lookup of a plan: it lists, and reads the receipts of shards that are
// asked for and may be looked at again.
func (p LedgerParams) inLedger(
	ctx context.Context, asked []frame.Span, whole bool,
) (done []frame.Span, again []look, err error) {
	if p.Ledger == "" {
		return nil, nil, nil
	}
	l, series := ledger.Open(p.Ledger), asked[0].Series
	files, err := l.Files(ctx, series)
	if err != nil {
		return nil, nil, err
	}
	mayAgain := func(e ledger.Entry) bool {
		return (e.Failed || len(p.Refetch) > 0) && grid.Overlaps(asked, e.Span)
	}
	if !slices.ContainsFunc(slices.Concat(files.Loose, files.Sealed), mayAgain) {
		return files.Done(), nil, nil
	}
	shards, damaged, err := l.Shards(ctx, series, asked)
	if err != nil {
		return nil, nil, err
	}
	for _, file := range damaged { // its pictures are there, and repair finds them
		done = append(done, file.Entry.Span)
	}
	shards = slices.CompactFunc(shards, func(a, b ledger.Shard) bool { return a.Span == b.Span })
	looks := make([]look, len(shards))
	var group errgroup.Group
	group.SetLimit(ledgerReaders)
	for i, shard := range shards {
		looks[i].shard = shard.Span
		if !mayAgain(shard.Entry) {
			continue
		}
		group.Go(func() (err error) {
			looks[i], err = p.look(ctx, l, shard, whole)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	for _, look := range looks {
		if len(look.asked) > 0 {
			again = append(again, look)
		} else {
			done = append(done, look.shard)
		}
	}
	return done, again, nil
}
