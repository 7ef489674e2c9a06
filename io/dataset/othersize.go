package dataset

import (
	"context"
	"slices"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// The description may be another dataset's, that somebody has put over the right one. With another
// number of samples a shard, blocks would be others, and the index have samples twice.

// checkSize returns an error, which satisfies ErrForeign, where names of a series contradict the number of samples
// a shard.
func (d *Dataset) checkSize(files ledger.Files, index []frame.Span) error {
	n := int(d.desc.ShardSamples)
	path := ""
	if i := slices.IndexFunc(index, d.isOtherBlock); i >= 0 {
		path = ledger.IndexPath(index[i])
	}
	for _, entry := range files.Loose {
		if entry.Span.Crosses(int64(n)) {
			path = entry.Path()
		}
	}
	for _, file := range files.Sealed {
		if file.Span.End() > ledger.BlockOf(file.Span, n).End() {
			path = file.Path()
		}
	}
	if path == "" {
		return nil
	}
	return fault.Errorf("%q %w: %s says %d samples a shard, and the name of %s another number: one of the two is another "+
		"dataset's, so put the right %s back", d.dir, ErrForeign, descriptionFile, n, path, descriptionFile)
}

// isOtherBlock reports whether no dataset of this number of samples a shard has a block.
func (d *Dataset) isOtherBlock(block frame.Span) bool {
	return ledger.BlockOf(block, int(d.desc.ShardSamples)) != block
}

// checkSizes checks the names of all series, and those of the index of one that has sealed receipts.
func (d *Dataset) checkSizes(ctx context.Context, all map[frame.Series]ledger.Files) error {
	var sealed []frame.Series
	for series, files := range all {
		if err := d.checkSize(files, nil); err != nil {
			return err
		}
		if len(files.Sealed) > 0 {
			sealed = append(sealed, series)
		}
	}
	if len(sealed) == 0 {
		return nil
	}
	index, err := d.ledger.Indexed(ctx, sealed[0])
	if err != nil {
		return err
	}
	return d.checkSize(ledger.Files{}, index)
}
