package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// FinishOptions are the options of Finish. The zero value is fine.
type FinishOptions struct {
	// Progress, where set, is called with the number of receipts that are in the index,
	// and the number that will be, by the goroutine that called Finish.
	Progress func(done, total int64)
}

// Finish ends what Begin began, when the job has ended: it writes the dataset's index, with
// a row for each sample that is in a receipt, and its card, README.md, and sweeps. It reads
// requests and receipts, not the shards. A README.md that was not written by Finish stays as
// it is. Where it fails, the index that was there stays; to call it again does no harm.
//
// The Contents report whether all that was asked for is there. The error is what prevents the
// index or the card: the ledger cannot be read, they cannot be written, or ctx is done.
func (d *Dataset) Finish(ctx context.Context, options FinishOptions) (Contents, error) {
	defer d.Sweep(ctx) // what stays all the same does no harm
	c := &cataloger{Dataset: d, progress: options.Progress}
	if err := c.run(ctx); err != nil {
		return Contents{}, fmt.Errorf("writing the index of the dataset %q: %w", d.dir, err)
	}
	contents := c.contents
	contents.Schema, contents.Dataset = ContentsSchema, d.dir
	contents.Complete = c.asked && contents.Missing == 0 && contents.Gaps[frame.Failed] == 0
	return contents, nil
}

func (c *cataloger) run(ctx context.Context) error {
	if err := c.writeIndex(ctx); err != nil {
		return err
	}
	if err := c.addRequests(ctx); err != nil {
		return err
	}
	return c.writeCard(ctx)
}

// addRequests counts what was asked for and is not there.
func (c *cataloger) addRequests(ctx context.Context) error {
	asked, err := c.ledger.Requests(ctx)
	var damaged *ledger.DamagedError
	if err != nil && !errors.As(err, &damaged) { // for Verify to tell
		return err
	}
	c.asked = len(asked) > 0
	for _, span := range asked {
		c.cover.of(span.Series).ask(span)
	}
	for _, cover := range c.cover {
		missing := frame.Count(frame.Minus(frame.Union(cover.asked), cover.recorded))
		c.contents.Samples += missing
		c.contents.Missing += missing
	}
	return nil
}

// cataloger writes the index and the card of a dataset.
type cataloger struct {
	*Dataset
	progress func(done, total int64)
	asked    bool // something was

	tally // of the rows of the index
}

func (c *cataloger) writeIndex(ctx context.Context) error {
	// Listed first: what is recorded from now on makes the index out of date, even
	// if it finds its way into it.
	listing, err := c.ledger.Listing(ctx)
	if err != nil {
		return err
	}
	return store.WriteFile(ctx, c.store, indexFile, func(file io.Writer) error {
		c.tally = newTally()
		w := newIndexWriter(file, listing)
		done := int64(0)
		for part, err := range ledger.Parts(ctx, c.ledger, c.rowsOf) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = w.write(part.samples)
			}
			if err != nil {
				return err
			}
			c.add(part)
			if done++; c.progress != nil {
				c.progress(done, max(done, listing.Receipts))
			}
		}
		return w.close()
	})
}
