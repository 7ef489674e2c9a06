package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// attempts bounds how often a step is done again because another process removed an empty
// folder from under it.
const attempts = 20

// tries is how often a shard is written again because another process that
// completed the same shard took this one for a killed writer: each of several may.
const tries = 10

// Writer writes shards to a dataset. It may be used by many goroutines, and
// many Writers may write the same dataset, even the same shard, at once.
type Writer struct {
	of *Dataset

	// step, where set, is told of each step of a write and may fail it. Tests
	// look at what a kill would leave there.
	step func(name string) error
}

// NewWriter returns a Writer of the dataset. The error says why the dataset cannot be changed.
func (d *Dataset) NewWriter() (*Writer, error) {
	if err := d.checkFolders(); err != nil {
		return nil, err
	}
	return &Writer{of: d}, nil
}

// Write writes a shard, whole or not at all, then its receipt, which it returns.
// A shard that is there already is replaced, with two exceptions: a shard with
// FAILED gaps never replaces one without, or one with as few of them and as many frames;
// and what is the same is not touched. The receipt is then of what is there. When Write
// returns it, shard and receipt are on the disk, or in the bucket. A goroutine waits for the
// disk meanwhile, so let a few write at once.
// ctx bounds what is asked of a store on a network.
//
// A second look ([frame.Shard.Again]) is made whole: with the pictures, gaps and drops that
// the dataset has of the other samples. A sample that failed again stays what it is. A picture
// that is damaged in the dataset becomes a FAILED gap, which the next backfill asks for.
//
// The error is a [*CutError] where the shard is cut otherwise than those of the dataset, a
// [*TransformsError] where its frames went through other transforms, a [*GoneError] where
// what it is a second look at is not there any more, and a [*ledger.ShardError] where its
// series has names or a format that the service does not have, or its samples are not each
// exactly one frame, gap or drop; others name the path that could not be written.
func (w *Writer) Write(ctx context.Context, shard frame.Shard) (*framepb.Receipt, error) {
	receipt, record, err := w.begin(ctx, shard)
	if err == nil && record != nil {
		receipt, err = record()
	}
	return receipt, err
}

// writing says of which shard an error is, once: a [*ledger.ShardError] says it itself.
func writing(span frame.Span, err error) error {
	if _, ok := err.(*ledger.ShardError); ok {
		return fmt.Errorf("writing the %w", err)
	}
	return fmt.Errorf("writing the shard of %v: %w", span, err)
}

// CutError says that a shard was cut otherwise than the shards of a dataset are.
type CutError struct {
	Span         frame.Span // the shard
	ShardSamples int64      // of the dataset
}

func (e *CutError) Error() string {
	return fmt.Sprintf("the shard of %v has samples on both sides of a multiple of %d, at which the shards of the "+
		"dataset are cut: the source must cut there, too: set ReadParams.ShardSamples to %d",
		e.Span, e.ShardSamples, e.ShardSamples)
}

// TransformsError says that something else was done to the frames of a shard than to those of
// the dataset.
type TransformsError struct {
	Span frame.Span // the shard
	Have []string   // what was done to its frames, as transforms.Describe says
	Want []string   // what is done to frames of the dataset
}

func (e *TransformsError) Error() string {
	return fmt.Sprintf("the frames of the shard of %v went through %q, and those of the dataset go through %q: "+
		"Options.Transforms of the dataset and the steps of the pipeline must be the same", e.Span, e.Have, e.Want)
}

// check refuses a shard that is not one of the dataset's.
func (w *Writer) check(shard frame.Shard) error {
	if !slices.Equal(shard.Transforms, w.of.desc.Transforms) {
		return &TransformsError{shard.Span, shard.Transforms, w.of.desc.Transforms}
	}
	if err := shard.Span.Series.CheckNames(); err != nil {
		return &ledger.ShardError{Span: shard.Span, Problem: err.Error()}
	}
	return w.checkCut(shard.Span)
}

// checkCut refuses a shard that goes over a place where shards of the dataset are cut: the
// same samples would be in shards of other names another time.
func (w *Writer) checkCut(span frame.Span) error {
	if n := int64(w.of.desc.ShardSamples); span.Crosses(n) {
		return &CutError{span, n}
	}
	return nil
}

// fill writes the shard in tmp while it hashes the pictures for the receipt:
// each takes about as long as the other.
func (w *Writer) fill(shard frame.Shard, out *output) (err error) {
	var group errgroup.Group
	group.Go(func() (err error) {
		out.receipt, err = w.receiptOf(shard)
		return err
	})
	if len(shard.Frames) > 0 {
		err = w.of.format.Write(shard, out.create)
	}
	// That the shard is invalid is the better reason of the two.
	if problem := group.Wait(); problem != nil {
		return problem
	}
	return err
}

// receiptOf returns the receipt of a shard, which says what was done to its frames: no
// shard of another dataset passes for one of this.
func (w *Writer) receiptOf(shard frame.Shard) (*framepb.Receipt, error) {
	receipt, err := ledger.NewReceipt(shard, w.of.format.Path(shard.Span))
	if err != nil {
		return nil, err
	}
	receipt.Transforms = shard.Transforms
	return receipt, nil
}

// output is a file, or a folder of files, that is being written.
type output struct {
	writer *Writer
	span   frame.Span
	path   string // in tmp; empty where nothing is there

	receipt *framepb.Receipt // what will be recorded
	kept    *framepb.Receipt // or what is recorded already, and stays
}

func (o *output) create(name string) (io.WriteCloser, error) {
	if err := o.writer.reach("create"); err != nil {
		return nil, err
	}
	if o.path != "" {
		return store.CreateFile(filepath.Join(o.path, name))
	}
	var file *os.File
	var err error
	o.path, err = o.writer.of.ledger.Temp(o.span, func(path string) (err error) {
		if name != "" {
			return disk.Mkdir(path)
		}
		file, err = store.CreateFile(path)
		return err
	})
	if err == nil && name != "" {
		file, err = store.CreateFile(filepath.Join(o.path, name))
	}
	return file, err
}

// discard removes what place has not moved.
func (o *output) discard() {
	if o.path != "" {
		disk.RemoveAll(o.path)
	}
}

// place brings the shard from tmp to its path. What is there already stays if it
// is the same: a killed writer left it, or another one has just written it.
func (w *Writer) place(ctx context.Context, receipt *framepb.Receipt, out *output) error {
	there := &stored{ctx: ctx, store: w.of.store, path: w.of.format.Path(out.span)}
	path := filepath.Join(w.of.folder, filepath.FromSlash(there.path))
	if receipt.Frames == 0 {
		return w.takeAway(ctx, out.span, path)
	}
	if disk.Exists(path) { // a file is replaced: the receipt of what it was must not come back
		if err := w.of.ledger.Flush(out.span.Series); err != nil {
			return err
		}
	}
	var err error
	for range attempts {
		if err := w.reach("place"); err != nil {
			return err
		}
		if err = disk.Rename(out.path, path); err == nil {
			out.path = ""
			return disk.FlushNames(w.of.folder, path)
		}
		switch {
		case disk.Exists(path):
			if there.holds(w.of.format, receipt) {
				return disk.FlushNames(w.of.folder, path)
			}
			if err := w.takeAway(ctx, out.span, path); err != nil {
				return err
			}
		case errors.Is(err, fs.ErrNotExist) && disk.Exists(out.path):
			if err := disk.MkdirAll(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrExist) {
				return err // one that exists may have been removed a moment later
			}
		case errors.Is(err, fs.ErrExist): // another writer has just taken away what was there
		default:
			return err
		}
	}
	return err
}

// takeAway removes what is at a shard's path, its receipts first: neither a kill nor a power
// cut must leave a shard with a receipt and without pictures.
func (w *Writer) takeAway(ctx context.Context, span frame.Span, path string) error {
	if disk.Exists(path) {
		if err := w.forgetReceipts(ctx, span); err != nil {
			return err
		}
	}
	return w.clear(span, path)
}

// clear removes what is at a shard's path, and folders that no shard is in any more:
// also those that a kill left.
func (w *Writer) clear(span frame.Span, path string) error {
	if disk.Exists(path) {
		if err := w.remove(span, path); err != nil {
			return err
		}
	}
	for folder := filepath.Dir(path); folder != filepath.Clean(w.of.folder); folder = filepath.Dir(folder) {
		if err := disk.Rmdir(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			break // a shard is in it
		}
	}
	return nil
}

// remove removes the pictures in one step: a kill must leave no part of a shard.
func (w *Writer) remove(span frame.Span, path string) error {
	if err := w.checkOwn(span); err != nil {
		return err
	}
	if err := w.reach("take away"); err != nil {
		return err
	}
	old, err := w.of.ledger.Temp(span, func(old string) error {
		err := disk.Rename(path, old)
		if errors.Is(err, fs.ErrNotExist) && !disk.Exists(path) {
			return nil // another writer was first
		}
		return err
	})
	if err != nil {
		return err
	}
	err = w.reach("remove old")
	return errors.Join(err, disk.FlushNames(filepath.Dir(path), path), disk.RemoveAll(old))
}

// forgetReceipts removes the receipts of a shard, so that no power cut brings them back.
func (w *Writer) forgetReceipts(ctx context.Context, span frame.Span) error {
	if err := w.checkOwn(span); err != nil {
		return err
	}
	if err := w.of.ledger.Remove(ctx, span); err != nil {
		return err
	}
	return w.of.ledger.Flush(span.Series)
}

// forget removes a shard, its receipts first.
func (w *Writer) forget(ctx context.Context, span frame.Span) error {
	if err := w.forgetReceipts(ctx, span); err != nil {
		return err
	}
	if err := w.reach("forget"); err != nil {
		return err
	}
	return w.clearAway(ctx, span)
}

// forgetSpoiled removes a shard whose pictures are not what was recorded, and these first:
// without the receipt that tells they would be taken for what was written.
func (w *Writer) forgetSpoiled(ctx context.Context, span frame.Span) error {
	if err := w.clearAway(ctx, span); err != nil {
		return err
	}
	if err := w.reach("forget"); err != nil {
		return err
	}
	return w.of.ledger.Remove(ctx, span)
}

// clearAway removes the pictures of a shard.
func (w *Writer) clearAway(ctx context.Context, span frame.Span) error {
	path := w.of.format.Path(span)
	bucket, ok := w.of.store.(store.Bucket)
	if !ok {
		return w.clear(span, filepath.Join(w.of.folder, filepath.FromSlash(path)))
	}
	names, err := bucket.Under(ctx, path)
	if err != nil {
		return err
	}
	return removeObjects(ctx, bucket, span, path, names)
}

// checkParents refuses to change a shard, or its receipt, in a folder that is not the dataset's.
func (w *Writer) checkParents(span frame.Span) error {
	for _, path := range []string{w.of.format.Path(span), ledger.Entry{Span: span}.Path()} {
		if err := disk.CheckParents(w.of.folder, path); err != nil {
			return err
		}
	}
	return nil
}

// checkOwn refuses to take away a shard of a folder that somebody keeps a file in,
// or that is behind a link. In a bucket each object goes by itself.
func (w *Writer) checkOwn(span frame.Span) error {
	if w.of.folder == "" {
		return nil
	}
	path := w.of.format.Path(span)
	folder := filepath.Join(w.of.folder, filepath.FromSlash(path))
	info, err := os.Lstat(folder)
	if err != nil {
		return nil // nothing is there
	}
	if err := disk.CheckParents(w.of.folder, path); err != nil || !info.IsDir() {
		return err
	}
	_, err = disk.CheckMembers(folder, path, func(name string) bool { return container.IsMember(span, name) })
	return err
}

func (w *Writer) reach(step string) error {
	if w.step == nil {
		return nil
	}
	return w.step(step)
}
