package kvsio

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// What the ledger has, and whether that is the end of it.

// ledgerReaders is how many receipts are read at once for a plan.
const ledgerReaders = 16

// asDataset returns p with the ShardSamples of the ledger's dataset. It refuses others: no
// shard could be found in the ledger, nor written to the dataset.
func (p ReadParams) asDataset(ctx context.Context) (ReadParams, error) {
	if p.Ledger == "" {
		return p, nil
	}
	desc, err := ledger.Open(p.Ledger).Description(ctx)
	if errors.Is(err, ledger.ErrNoDataset) {
		return p, fault.Of("Ledger", ": %w: it must be the folder, or the URL, of a dataset that is there: "+
			"make it with %s, or leave %s empty", err, fault.Name("dataset.Create"), fault.Name("Ledger"))
	}
	if err != nil {
		return p, fault.Of("Ledger", ": %w", err)
	}
	has := int(desc.ShardSamples)
	if p.ShardSamples != 0 && p.ShardSamples != has {
		return p, fault.New("ShardSamples", p.ShardSamples,
			fault.Errorf("%d, which the dataset %q has, or 0 for that", has, p.Ledger))
	}
	p.ShardSamples = has
	return p, nil
}

// inLedger is the lookup of a plan: it lists, and reads receipts only where
// reasons other than FAILED are to be fetched again.
func (p LedgerParams) inLedger(ctx context.Context, series frame.Series) (done, again []frame.Span, err error) {
	if p.Ledger == "" {
		return nil, nil, nil
	}
	l := ledger.Open(p.Ledger)
	entries, err := l.Have(ctx, series)
	if err != nil {
		return nil, nil, err
	}
	redo := make([]bool, len(entries))
	var group errgroup.Group
	group.SetLimit(ledgerReaders)
	for i, entry := range entries {
		if redo[i] = entry.Failed; redo[i] || len(p.Refetch) == 0 {
			continue
		}
		group.Go(func() error {
			receipt, err := l.Ask(ctx, entry.Span)
			redo[i] = receipt == nil || p.refetches(receipt)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	for i, entry := range entries {
		if redo[i] {
			again = append(again, entry.Span)
		} else {
			done = append(done, entry.Span)
		}
	}
	return done, again, nil
}

// done is asked at dispatch, on the worker: a stage that begins again after a
// lost machine must not pay for its images twice.
func (p LedgerParams) done(ctx context.Context, span frame.Span) (bool, error) {
	if p.Ledger == "" {
		return false, nil
	}
	receipt, err := ledger.Open(p.Ledger).Ask(ctx, span)
	return receipt != nil && !p.refetches(receipt), err
}

func (p LedgerParams) refetches(receipt *framepb.Receipt) bool {
	return slices.ContainsFunc(receipt.Gaps, func(g *framepb.GapRun) bool {
		return slices.Contains(p.Refetch, g.Reason)
	})
}
