package kvsio

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// A second look is at a shard that the ledger has. It asks only for the samples that may
// have an image by now: no image is paid for twice.

// look is a shard, and its samples that are to be asked for: none where the ledger has
// all that there is of it.
type look struct {
	shard  frame.Span
	asked  []frame.Span // as frame.Union returns them
	late   []frame.Span // of the shard, gaps that may have footage by now
	second bool         // the ledger has the other samples
	isNew  bool         // the ledger has nothing of the shard
}

// all is the first look at a shard.
func all(shard frame.Span) look { return look{shard: shard, asked: []frame.Span{shard}} }

// look reads a receipt for a plan. One that is damaged is none.
func (p LedgerParams) look(ctx context.Context, l *ledger.Ledger, shard ledger.Shard, whole bool) (look, error) {
	if shard.Table != nil {
		return p.lookBy(shard.Table, nil, whole), nil
	}
	receipt, err := l.Read(ctx, shard.Entry)
	var damaged *ledger.DamagedError
	if errors.Is(err, fs.ErrNotExist) || errors.As(err, &damaged) {
		return all(shard.Span), nil
	}
	if err != nil {
		return look{}, err
	}
	return p.lookBy(receipt, nil, whole), nil
}

// lookBy returns what is to be asked for of a shard that has a receipt: its gaps of some
// reasons, and those of NO_MEDIA that are late, or, where it is to be fetched whole, all of it if
// it has such gaps. Without late all its gaps of NO_MEDIA may be.
func (p LedgerParams) lookBy(receipt *framepb.Receipt, late []frame.Span, whole bool) look {
	l := look{shard: receipt.Span(), late: ledger.Gaps(receipt, frame.NoMedia), second: true}
	l.asked = ledger.Gaps(receipt, append([]string{frame.Failed}, p.Refetch...)...)
	if late != nil {
		l.late = frame.Common(l.late, late)
		l.asked = frame.Union(slices.Concat(l.asked, l.late))
	}
	if whole && len(l.asked) > 0 {
		return all(l.shard)
	}
	return l
}

// atDispatch is asked on the worker: a stage that begins again after a lost machine must
// not pay for its images twice. Of shards that the ledger had when the work was planned
// it reads the receipt, failed ones, too.
func (p LedgerParams) atDispatch(ctx context.Context, shard frame.Span, again bool, late []frame.Span, whole bool) (
	look, error,
) {
	if p.Ledger == "" {
		return all(shard), nil
	}
	l := ledger.Open(p.Ledger)
	if !again {
		known, err := l.Known(ctx, shard)
		if frame.Count(known.Done) == shard.Samples {
			return look{shard: shard}, err
		}
		first := all(shard)
		first.isNew = known.Nothing()
		return first, err
	}
	receipt, err := l.Ask(ctx, shard)
	if err == nil && receipt == nil {
		receipt, err = l.AskFailed(ctx, shard)
	}
	if err != nil || receipt == nil {
		return all(shard), err
	}
	return p.lookBy(receipt, late, whole), nil
}
