package dataset

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// sweepAge is when what stands in tmp can belong to no living writer.
const sweepAge = 24 * time.Hour

// Dataset is a dataset that [Create] or [Open] opened. It holds no file open and needs no
// closing. Many goroutines may use it, and many processes the same dataset.
type Dataset struct {
	dir    string // as the user named it
	store  store.Store
	folder string // of a store that is a folder
	desc   *framepb.Dataset
	format container.Format
	ledger *ledger.Ledger
}

// Dir returns the folder or the URL that the dataset was opened by.
func (d *Dataset) Dir() string { return d.dir }

// Options returns what the dataset is: every field is set, but for Transforms where nothing
// is done to frames.
func (d *Dataset) Options() Options { return optionsOf(d.desc) }

func optionsOf(desc *framepb.Dataset) Options {
	return Options{Format: desc.Format, ShardSamples: int(desc.ShardSamples), Transforms: desc.Transforms}
}

// Ledger returns the receipts of the dataset.
func (d *Dataset) Ledger() *ledger.Ledger { return d.ledger }

// Begin records what a job is to write: the spans of its requests. Whatever becomes of the
// job, Verify then tells what is missing. It also removes receipts of these samples that are
// damaged, and records the shards of these samples that no receipt knows, where they were asked
// for before: only what those do not have is fetched again. Call it before the job is planned;
// to call it again with the same spans does no harm.
func (d *Dataset) Begin(ctx context.Context, asked ...frame.Span) error {
	if err := d.checkFolders(); err != nil {
		return err
	}
	if err := d.checkWays(ctx, asked); err != nil {
		return err
	}
	// Plans are made from listings, which do not show that a receipt is damaged.
	_, files, err := d.ledger.Discard(ctx, asked...)
	if err != nil {
		return err
	}
	if err := d.checkSizes(ctx, files); err != nil {
		return err
	}
	lost, err := d.lost(ctx, asked, files)
	if err != nil {
		return err
	}
	if err := d.ledger.Request(ctx, asked...); err != nil {
		return err
	}
	return d.recover(ctx, lost)
}

// Sweep removes from a folder what killed writers left, and the folder for what is being
// written where nothing is; other files stay. In a bucket there is nothing to sweep. Create
// and Finish do it, too: Sweep is for after a job that failed.
func (d *Dataset) Sweep(ctx context.Context) error {
	if d.folder == "" {
		return nil
	}
	if err := store.SweepMade(d.store, descriptionFile); err != nil {
		return err
	}
	err := disk.Sweep(filepath.Join(d.folder, "tmp"), func(name string, entry fs.DirEntry) bool {
		return (name == card.File || name == catalogFile) && isOld(entry)
	})
	if err != nil {
		return fmt.Errorf("sweeping tmp: %w", err)
	}
	return d.ledger.Sweep(ctx, sweepAge)
}

func isOld(entry fs.DirEntry) bool {
	info, err := entry.Info()
	return err == nil && time.Since(info.ModTime()) > sweepAge
}

// checkFolders refuses to change a dataset whose folders are not in it: files are replaced
// and removed in them.
func (d *Dataset) checkFolders() error {
	if d.folder == "" {
		return nil
	}
	for _, name := range disk.Folders {
		if err := disk.CheckFolder(filepath.Join(d.folder, name)); err != nil {
			return fmt.Errorf("the dataset %q cannot be changed: %w", d.folder, err)
		}
	}
	return nil
}
