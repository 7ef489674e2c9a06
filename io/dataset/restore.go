package dataset

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/kvsframes/kvsframes/io/dataset/internal/sealed"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// restore makes sealed files that are lost again from the index, where a block had one, and returns
// what is still missing: samples in no receipt, a list a series, as [frame.Union] returns it. Where
// there are none it costs nothing. What the files of shards do not tell is in the index: gaps, and
// what the bytes of pictures must be.
func (d *Dataset) restore(ctx context.Context, missing [][]frame.Span) (left [][]frame.Span, err error) {
	for _, missing := range missing {
		if len(missing) == 0 {
			continue
		}
		series := missing[0].Series
		blocks, err := d.ledger.Indexed(ctx, series)
		if err != nil {
			return nil, err
		}
		for _, block := range blocks {
			if len(frame.Common(missing, []frame.Span{block})) == 0 {
				continue
			}
			if err := d.restoreBlock(ctx, block); err != nil {
				return nil, err
			}
		}
		files, err := d.ledger.Files(ctx, series)
		if err != nil {
			return nil, err
		}
		if rest := frame.Minus(missing, files.Recorded()); len(rest) > 0 {
			left = append(left, rest)
		}
	}
	return left, nil
}

// restoreBlock does nothing where the block has sealed receipts.
func (d *Dataset) restoreBlock(ctx context.Context, block frame.Span) error {
	files, err := d.ledger.FilesIn(ctx, block)
	if err != nil || len(files.Sealed)+len(files.Void) > 0 {
		return err
	}
	_, err = d.sealIndexed(ctx, block)
	return err
}

// reindex makes the file of a block in the index again, which is not what sealed receipts say. It
// may be younger than those, where somebody has put older ones back: so what it says is sealed,
// too, first, and by sealing the block that stays which the shards' files bear out.
func (d *Dataset) reindex(ctx context.Context, block frame.Span) error {
	_, err := d.sealIndexed(ctx, block)
	if err == nil {
		err = d.sealBlock(ctx, block)
	}
	if err == nil {
		err = d.index(ctx, block, nil, nil)
	}
	return err
}

// sealIndexed makes a sealed file of what the index has of a block, and reports whether that is one.
func (d *Dataset) sealIndexed(ctx context.Context, block frame.Span) (done bool, err error) {
	file, err := d.store.Open(ctx, ledger.IndexPath(block))
	if errors.Is(err, fs.ErrNotExist) || isNoFile(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	receipts, err := receiptsIn(file, d)
	if err == nil && len(receipts) > 0 {
		entry := ledger.SealedEntry(spanOf(receipts), ledger.Failed(receipts[0]), sealed.Digest(receipts))
		if ledger.BlockOf(entry.Span, int(d.desc.ShardSamples)) == block {
			_, err = d.putSealed(ctx, entry, receipts)
			done = err == nil
		}
	}
	if err != nil && store.IsDamage(ctx, err) {
		err = nil
	}
	return done, err
}

// sealAgain seals a block with what the index has of it, too, and reports whether it has anything.
func (d *Dataset) sealAgain(ctx context.Context, block frame.Span) (done bool, err error) {
	if done, err = d.sealIndexed(ctx, block); done {
		err = d.sealBlock(ctx, block)
	}
	return done, err
}

// receiptsIn returns the receipts of a file of sealed ones, each of whose rows is what they say;
// none where it has rows alone.
func receiptsIn(file store.File, d *Dataset) ([]*framepb.Receipt, error) {
	opened, err := sealed.Open(file)
	if err != nil || len(opened.Table()) == 0 {
		return nil, err
	}
	if err := opened.Check(d.format); err != nil {
		return nil, err
	}
	return opened.Receipts()
}

// sealWhere surveys all series, and seals those whose files are as do reports.
func (d *Dataset) sealWhere(ctx context.Context, do func(ledger.Files) bool) ([]ledger.Survey, error) {
	all, err := d.ledger.Survey(ctx)
	for i := 0; i < len(all) && err == nil; i++ {
		if do(all[i].Files) {
			err = d.seal(ctx, all[i:i+1], nil)
		}
	}
	return all, err
}

// reindexOlder seals blocks again of which the index has other receipts than the sealed file, and
// notes which sealed files others have taken the place of.
func (v *verifier) reindexOlder(ctx context.Context, all []ledger.Survey, done *findings) error {
	for _, survey := range all {
		have, err := v.ledger.Indexed(ctx, survey.Series)
		if err != nil {
			return err
		}
		want, files := v.blocksIn(survey.Files.Sealed)
		for _, block := range want {
			if len(files[block]) != 1 || !slices.Contains(have, block) {
				continue
			}
			same, err := v.isIndexOf(ctx, block, files[block])
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if err != nil || same {
				continue
			}
			sealed, err := v.sealAgain(ctx, block)
			if err != nil {
				return err
			}
			if !sealed {
				continue
			}
			done.note("%s: sealed again with what the index says", files[block][0].Path())
		}
	}
	return nil
}
