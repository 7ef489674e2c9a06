package dataset

import (
	"context"
	"fmt"

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
	contents.Complete = c.asked && contents.Missing == 0 && contents.Gaps[frame.Failed] == 0
	return contents, nil
}

// cataloger writes the index and the card of a dataset.
type cataloger struct {
	*Dataset
	catalog catalog
	had     []byte         // of its file, before
	counted []ledger.Entry // files that the catalog has
	asked   bool           // something was

	tally // of all receipts
}

func (c *cataloger) run(ctx context.Context, progress func(done, total int64)) error {
	if err := c.checkFolders(); err != nil {
		return err
	}
	all, err := c.ledger.Survey(ctx)
	if err != nil {
		return err
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
	if err := c.keep(ctx); err != nil {
		return err
	}
	return c.writeCard(ctx)
}
