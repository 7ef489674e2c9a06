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

// CatalogOptions are the options of Catalog. The zero value is fine.
type CatalogOptions struct {
	// Progress, where set, is told how many receipts of how many are in the index.
	// It is called by the goroutine that called Catalog.
	Progress func(done, total int64)
}

// Catalog writes what a dataset tells of itself: its index, as WriteIndex does, and
// its card, README.md. It reads requests and receipts, not the shards. Call it when a
// job has ended.
//
// A README.md that was not written by Catalog stays as it is.
//
// The errors are those of WriteIndex.
func Catalog(ctx context.Context, dir string, options CatalogOptions) (Contents, error) {
	c, err := newCataloger(ctx, dir)
	if err != nil {
		return Contents{}, err
	}
	c.progress = options.Progress
	if err := c.run(ctx); err != nil {
		return Contents{}, fmt.Errorf("writing the index of the dataset %q: %w", dir, err)
	}
	contents := c.contents
	contents.Schema, contents.Dataset = ContentsSchema, dir
	contents.Complete = contents.Missing == 0 && contents.Gaps[frame.Failed] == 0
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
	for _, span := range asked {
		c.coverageOf(span.Series).ask(span)
	}
	for _, cover := range c.cover {
		missing := frame.Count(frame.Minus(frame.Union(cover.asked), cover.recorded))
		c.contents.Samples += missing
		c.contents.Missing += missing
	}
	return nil
}

// WriteIndex makes the index of the dataset at dir, and returns how many rows it
// has: one for each sample that is in a receipt. It reads receipts only. Where it
// fails, the index that was there stays.
//
// The errors are those of [Open], and what prevents the index: the ledger cannot
// be read, the index cannot be written, or ctx is done.
func WriteIndex(ctx context.Context, dir string) (rows int64, err error) {
	c, err := newCataloger(ctx, dir)
	if err != nil {
		return 0, err
	}
	if err := c.writeIndex(ctx); err != nil {
		return 0, fmt.Errorf("writing the index of the dataset %q: %w", dir, err)
	}
	return c.contents.Samples, nil
}

// cataloger writes what is told of a whole dataset.
type cataloger struct {
	*Reader
	progress func(done, total int64)

	tally // of the rows of the index
}

func newCataloger(ctx context.Context, dir string) (*cataloger, error) {
	reader, err := NewReader(ctx, dir)
	if err != nil {
		return nil, err
	}
	return &cataloger{Reader: reader}, nil
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
