package dataset

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// FinishOptions are the options of Finish. The zero value is fine.
type FinishOptions struct {
	// Progress, where set, is called with the number of receipts that were loose and are
	// sealed, and the number that will be, by one goroutine at a time.
	Progress func(done, total int64)
}

// Finish ends what Begin began, when the job has ended: it records shards of samples that
// were asked for and that no receipt knows, as where sealed ones were lost, seals the receipts that
// are loose, so that the index has a row for each sample that is in a receipt, writes the card,
// README.md, and sweeps. It reads requests, receipts that are loose or of the same blocks,
// footers of sealed files, and of the shards those that no receipt knows. A README.md that was not
// written by Finish stays as it is. To call
// it again does no harm.
//
// The Contents report whether all that was asked for is there. The error is what prevents the
// index or the card: the ledger cannot be read, they cannot be written, or ctx is done.
func (d *Dataset) Finish(ctx context.Context, options FinishOptions) (Contents, error) {
	defer d.Sweep(ctx) // what stays all the same does no harm
	c := &cataloger{Dataset: d, tally: newTally()}
	if err := c.run(ctx, options.Progress); err != nil {
		return Contents{}, fmt.Errorf("writing the index of the dataset %q: %w", d.dir, err)
	}
	contents := c.contents
	contents.Schema, contents.Dataset = ContentsSchema, d.dir
	for _, file := range c.damaged {
		contents.Damaged = append(contents.Damaged, file.Path())
	}
	contents.Complete = c.asked && len(c.damaged) == 0 && contents.Missing == 0 && contents.Gaps[frame.Failed] == 0
	return contents, nil
}

// cataloger writes the index and the card of a dataset.
type cataloger struct {
	*Dataset
	catalog catalog
	had     []byte         // of its file, before
	counted []ledger.Entry // files that the catalog has
	damaged []ledger.Entry // files of sealed receipts that cannot be counted
	asked   bool           // something was

	tally // of all receipts
}

func (c *cataloger) run(ctx context.Context, progress func(done, total int64)) error {
	if err := cmp.Or(c.checkFolders(), c.checkWay(catalogFile)); err != nil {
		return err
	}
	all, err := c.ledger.Survey(ctx)
	if err != nil {
		return err
	}
	for _, survey := range all {
		if err := c.checkSize(survey.Files, nil); err != nil {
			return err
		}
	}
	if err := c.adoptLost(ctx, all); err != nil {
		return err
	}
	if err := c.seal(ctx, all, progress); err != nil {
		return err
	}
	if c.catalog, c.had, _, err = c.readCatalog(ctx); err != nil {
		return err
	}
	if err := c.count(ctx, all); err != nil {
		return err
	}
	if len(c.damaged) > 0 {
		if err := c.mend(ctx, all); err != nil {
			return err
		}
	}
	if err := c.keep(ctx); err != nil {
		return err
	}
	return c.writeCard(ctx)
}

// mend makes files of sealed receipts that are damaged again, where the index has what they were, and
// counts once more.
func (c *cataloger) mend(ctx context.Context, all []ledger.Survey) (err error) {
	for _, file := range c.damaged {
		block := ledger.BlockOf(file.Span, int(c.desc.ShardSamples))
		done, err := c.sealAgain(ctx, block)
		if done && err == nil {
			err = c.index(ctx, block, nil, nil)
		}
		if err != nil {
			return err
		}
	}
	for i := range all {
		if !slices.ContainsFunc(c.damaged, func(e ledger.Entry) bool { return e.Span.Series == all[i].Series }) {
			continue
		}
		if all[i].Files, err = c.ledger.Files(ctx, all[i].Series); err != nil {
			return err
		}
	}
	c.counted, c.damaged, c.tally = nil, nil, newTally()
	return c.count(ctx, all)
}
