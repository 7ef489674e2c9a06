package kvsio

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

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

// ledgerLookup is the lookup of a plan: it lists, and reads the receipts of shards that may be
// looked at again.
type ledgerLookup struct {
	LedgerParams
	whole bool // shards are fetched whole again

	// From recent on gaps of NO_MEDIA are looked at again, in all of a series. footage returns those
	// that may have footage by now; nil: none are looked at.
	recent  time.Time
	footage func(ctx context.Context, gaps []frame.Span) ([]frame.Span, error)
}

// find returns the shards of a series of which samples are asked for.
func (p ledgerLookup) find(ctx context.Context, asked []frame.Span) (done []frame.Span, again []look, err error) {
	if p.Ledger == "" {
		return nil, nil, nil
	}
	l, series := ledger.Open(p.Ledger), asked[0].Series
	files, err := l.Files(ctx, series)
	if err != nil {
		return nil, nil, err
	}
	recent := p.recentOf(series)
	mayAgain := func(e ledger.Entry) bool {
		return (e.Failed || len(p.Refetch) > 0) && grid.Overlaps(asked, e.Span)
	}
	isRecent := func(e ledger.Entry) bool { return grid.Overlaps(recent, e.Span) }
	entries, region := slices.Concat(files.Loose, files.Sealed), recent
	whole := slices.ContainsFunc(entries, mayAgain) // all that is asked for is looked through
	if whole {
		region = frame.Union(slices.Concat(asked, recent))
	} else if !slices.ContainsFunc(entries, isRecent) {
		return files.Done(), nil, nil
	}
	shards, damaged, err := l.Shards(ctx, series, region)
	if err != nil {
		return nil, nil, err
	}
	shards = slices.CompactFunc(shards, func(a, b ledger.Shard) bool { return a.Span == b.Span })
	looks := make([]look, len(shards))
	var group errgroup.Group
	group.SetLimit(ledgerReaders)
	for i, shard := range shards {
		looks[i].shard = shard.Span
		if !mayAgain(shard.Entry) && !isRecent(shard.Entry) {
			continue
		}
		group.Go(func() (err error) {
			looks[i], err = p.look(ctx, l, shard, p.whole)
			if !mayAgain(shard.Entry) {
				looks[i].asked = nil
			}
			looks[i].late = frame.Common(looks[i].late, recent)
			return err
		})
	}
	if err = group.Wait(); err == nil {
		err = p.lookForFootage(ctx, looks)
	}
	if err != nil {
		return nil, nil, err
	}
	var redo []frame.Span
	for _, look := range looks {
		if len(look.asked) > 0 {
			again, redo = append(again, look), append(redo, look.shard)
		} else {
			done = append(done, look.shard)
		}
	}
	for _, file := range damaged { // its pictures are there, and repair finds them
		done = append(done, file.Entry.Span)
	}
	if !whole {
		done = frame.Minus(frame.Union(append(done, files.Done()...)), frame.Union(redo))
	}
	return done, again, nil
}

// recentOf returns the samples of a series of which NO_MEDIA gaps are looked at again.
func (p ledgerLookup) recentOf(series frame.Series) []frame.Span {
	if p.footage == nil {
		return nil
	}
	first := max(0, series.Index(p.recent.UnixMilli()-1)+1)
	return []frame.Span{frame.Span{Series: series}.Slice(first, series.Index(math.MaxInt64/2))}
}

// lookForFootage leaves of the gaps that may be late those that have footage, and has them asked for.
func (p ledgerLookup) lookForFootage(ctx context.Context, looks []look) error {
	var gaps []frame.Span
	for i, l := range looks {
		if looks[i].late = frame.Minus(l.late, l.asked); p.footage == nil {
			looks[i].late = nil
		}
		gaps = append(gaps, looks[i].late...)
	}
	if gaps = frame.Union(gaps); len(gaps) == 0 {
		return nil
	}
	covered, err := p.footage(ctx, gaps)
	if err != nil {
		return err
	}
	for i, l := range looks {
		l.late = frame.Common(l.late, covered)
		switch {
		case len(l.late) > 0 && p.whole:
			l.asked = []frame.Span{l.shard}
		case len(l.late) > 0:
			l.asked = frame.Union(slices.Concat(l.asked, l.late))
		}
		looks[i] = l
	}
	return nil
}
