package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// Ledger is the receipts in one place. What is asked of a store on a network ends with the
// error of the context.
type Ledger struct {
	place string // as the user named it
	store store.Store
	dir   string // of a store that is a folder

	// step, where set, is called for each step of a change and may fail it.
	// Tests look at what a kill would leave there.
	step func(name string) error
}

// Open returns the ledger of the dataset at dir: a folder, or the URL of a place
// in a bucket. It touches no file: a place where there is nothing is an empty
// ledger. A place that cannot be is an error of everything that is asked of the
// ledger; [store.Check] checks it before.
func Open(dir string) *Ledger {
	l := &Ledger{place: dir}
	var err error
	l.store, err = store.At(dir)
	if err != nil {
		l.store = unreachable{err}
	}
	if folder, ok := l.store.(store.Folder); ok {
		l.dir = string(folder)
	}
	return l
}

// DamagedError says that a file of the ledger is not what its name promises.
type DamagedError struct {
	Path  string // relative to the ledger's place
	Entry Entry  // what the name promises; no samples where that cannot be known
	Err   error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%s is damaged: %v", e.Path, e.Err) }

func (e *DamagedError) Unwrap() error { return e.Err }

// Ask returns the receipt of exactly the shard span, or nil where there is
// none: also where it is damaged or has FAILED gaps. Where it is loose, that costs one access
// to a file, or one request. An error means that the ledger cannot be read.
func (l *Ledger) Ask(ctx context.Context, span frame.Span) (*framepb.Receipt, error) {
	return l.ask(ctx, span, false)
}

func (l *Ledger) ask(ctx context.Context, span frame.Span, failed bool) (*framepb.Receipt, error) {
	receipt, err := l.Read(ctx, Entry{Span: span, Failed: failed})
	if err == nil || !isDamaged(err) && !errors.Is(err, fs.ErrNotExist) {
		return receipt, err
	}
	sealed, err := l.sealedAs(ctx, span)
	for _, entry := range sealed {
		if entry.Failed != failed {
			continue
		}
		receipt, err := l.Read(ctx, entry)
		if err == nil || !isDamaged(err) && !errors.Is(err, fs.ErrNotExist) {
			return receipt, err
		}
	}
	return nil, err
}

// sealedAs returns the entries of sealed receipts of exactly the shard span, but for void
// ones.
func (l *Ledger) sealedAs(ctx context.Context, span frame.Span) (entries []Entry, err error) {
	for range attempts {
		entries, err = l.listedAs(ctx, span)
		if !errors.Is(err, fs.ErrNotExist) { // else a file was replaced since it was listed
			break
		}
	}
	return entries, err
}

func (l *Ledger) listedAs(ctx context.Context, span frame.Span) (entries []Entry, err error) {
	known, err := l.Known(ctx, span)
	if err != nil || known.Void || len(known.Sealed) == 0 {
		return nil, err
	}
	shards, _, err := l.shardsOf(ctx, Files{Sealed: known.Sealed}, []frame.Span{span})
	for _, shard := range shards {
		if shard.Span == span {
			entries = append(entries, shard.Entry)
		}
	}
	return entries, err
}

// Read returns the receipt of an entry. The error is a *DamagedError where the
// file is not a receipt of that entry, and satisfies [fs.ErrNotExist] where
// there is no file.
func (l *Ledger) Read(ctx context.Context, entry Entry) (*framepb.Receipt, error) {
	if entry.Sealed != "" {
		receipts, err := l.Receipts(ctx, fileOf(entry))
		if err != nil {
			return nil, err
		}
		for _, receipt := range receipts {
			if receipt.Span() == entry.Span {
				return receipt, nil
			}
		}
		return nil, &fs.PathError{Op: "reading", Path: entry.Path(), Err: fs.ErrNotExist}
	}
	receipt := new(framepb.Receipt)
	err := l.read(ctx, entry.Path(), receipt, func() error { return check(receipt, entry) })
	var damaged *DamagedError
	if errors.As(err, &damaged) {
		damaged.Entry = entry
	}
	if err != nil {
		return nil, err
	}
	return receipt, nil
}

// Put records a receipt whole or not at all, as complete or failed by its gaps.
// A complete one takes the place of a failed one; a failed one never takes the
// place of a complete one. What killed writers of a shard left in tmp goes when
// it is complete.
func (l *Ledger) Put(ctx context.Context, receipt *framepb.Receipt) error {
	return record(receipt, func(entry Entry) error { return l.put(ctx, receipt, entry, l.write) })
}

// PutFound is [Ledger.Put] for a receipt that was made of what the files of a shard say. One that
// another process has written meanwhile says more, and stays.
func (l *Ledger) PutFound(ctx context.Context, receipt *framepb.Receipt) error {
	return record(receipt, func(entry Entry) error { return l.put(ctx, receipt, entry, l.make) })
}

// PutNew is [Ledger.Put] for a shard that has no receipt, as [Ledger.Known] reports. It
// makes one access to a file, or one request.
func (l *Ledger) PutNew(ctx context.Context, receipt *framepb.Receipt) error {
	return record(receipt, func(entry Entry) error { return l.write(ctx, entry.Span, entry.Path(), receipt) })
}

// record checks a receipt and puts it, as complete or failed by its gaps.
func record(receipt *framepb.Receipt, put func(Entry) error) error {
	entry := Entry{Span: receipt.Span(), Failed: Failed(receipt)}
	err := check(receipt, entry)
	if err == nil {
		err = put(entry)
	}
	if err != nil {
		return fmt.Errorf("recording the receipt of %v: %w", entry.Span, err)
	}
	return nil
}

// put keeps two writers that disagree from leaving both receipts: the complete
// one's writer removes the failed one after its own is there, the failed one's
// writer looks for a complete one after its own is there.
func (l *Ledger) put(ctx context.Context, receipt *framepb.Receipt, entry Entry,
	write func(ctx context.Context, span frame.Span, path string, m proto.Message) error,
) error {
	failed := Entry{Span: entry.Span, Failed: true}.Path()
	if entry.Failed {
		if err := write(ctx, entry.Span, entry.Path(), receipt); err != nil {
			return err
		}
		if done, err := l.Ask(ctx, entry.Span); err != nil || done == nil {
			return err
		}
		return l.remove(ctx, failed)
	}
	if err := l.remove(ctx, failed); err != nil {
		return err
	}
	if err := write(ctx, entry.Span, entry.Path(), receipt); err != nil {
		return err
	}
	if err := l.remove(ctx, failed); err != nil {
		return err
	}
	return l.clear(entry.Span)
}

// Remove forgets a shard: the loose receipts that it can have, and, by a mark, sealed ones.
// That there is none is no error.
func (l *Ledger) Remove(ctx context.Context, span frame.Span) error {
	sealed, err := l.sealedAs(ctx, span)
	if err != nil {
		return fmt.Errorf("removing the receipt of %v: %w", span, err)
	}
	if len(sealed) > 0 {
		mark := framepb.RequestOf(span)
		if err := l.write(ctx, span, voidPath(span), mark); err != nil {
			return fmt.Errorf("removing the receipt of %v: %w", span, err)
		}
	}
	for _, failed := range []bool{true, false} {
		if err := l.remove(ctx, Entry{Span: span, Failed: failed}.Path()); err != nil {
			return fmt.Errorf("removing the receipt of %v: %w", span, err)
		}
	}
	return nil
}

func (l *Ledger) remove(ctx context.Context, path string) error {
	if err := l.reach("remove"); err != nil {
		return err
	}
	return l.store.Remove(ctx, path)
}

func (l *Ledger) reach(step string) error {
	if l.step == nil {
		return nil
	}
	return l.step(step)
}
