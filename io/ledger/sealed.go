package ledger

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/store"
)

// SealedFile is a file of sealed receipts, open for reading.
type SealedFile interface {
	// Table returns the receipts without what they say of each frame: sizes, checksums,
	// times, pixels, labels and tensors. It costs no request.
	Table() []*framepb.Receipt

	// Receipts reads the receipts.
	Receipts() ([]*framepb.Receipt, error)
}

// How files of sealed receipts are opened, and what the digest in their names is of.
var (
	openSealed = func(store.File) (SealedFile, error) {
		return nil, errors.New(`this program cannot read sealed receipts: ` +
			`import _ "github.com/kvsframes/kvsframes/io/dataset"`)
	}
	digestSealed func([]*framepb.Receipt) string
)

// RegisterSealed says how files of sealed receipts are opened, and of what their names have
// the digest: package dataset does it, so that whoever goes by names alone needs no reader of
// Parquet. Errors of open, and those of what it returns, are taken for damage, but for those
// of a store.
func RegisterSealed(open func(store.File) (SealedFile, error), digest func([]*framepb.Receipt) string) {
	openSealed, digestSealed = open, digest
}

// Tables returns what a file of sealed receipts says of its shards, in time order; see
// [SealedFile.Table]. Errors are those of [Ledger.Read].
func (l *Ledger) Tables(ctx context.Context, file Entry) ([]*framepb.Receipt, error) {
	return l.sealed(ctx, file, tableOf, checkTable)
}

// Receipts returns the receipts of a file of sealed receipts, in time order. Errors are
// those of [Ledger.Read].
func (l *Ledger) Receipts(ctx context.Context, file Entry) ([]*framepb.Receipt, error) {
	return l.sealed(ctx, file, func(opened SealedFile) ([]*framepb.Receipt, error) {
		receipts, err := opened.Receipts()
		if err == nil && SealedEntry(file.Span, file.Failed, digestSealed(receipts)) != file {
			err = errors.New("it has other receipts than its name says")
		}
		return receipts, err
	}, check)
}

func tableOf(file SealedFile) ([]*framepb.Receipt, error) { return file.Table(), nil }

func (l *Ledger) sealed(ctx context.Context, file Entry, read func(SealedFile) ([]*framepb.Receipt, error),
	check func(*framepb.Receipt, Entry) error,
) (receipts []*framepb.Receipt, err error) {
	err = store.Twice(l.store, func() (err error) {
		if receipts, err = l.readSealed(ctx, file.Path(), read); err != nil {
			return err
		}
		if err := checkSealed(receipts, file, check); err != nil {
			return &DamagedError{Path: file.Path(), Err: err}
		}
		return nil
	}, isDamaged)
	var damaged *DamagedError
	if errors.As(err, &damaged) {
		damaged.Entry = file
	}
	return receipts, err
}

func isDamaged(err error) bool {
	var damaged *DamagedError
	return errors.As(err, &damaged)
}

func (l *Ledger) readSealed(ctx context.Context, path string,
	read func(SealedFile) ([]*framepb.Receipt, error),
) ([]*framepb.Receipt, error) {
	file, err := l.store.Open(ctx, path)
	var unfit *store.UnfitError
	if errors.As(err, &unfit) {
		return nil, &DamagedError{Path: path, Err: errors.New("it " + unfit.Problem)}
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	opened, err := openSealed(file)
	var receipts []*framepb.Receipt
	if err == nil {
		receipts, err = read(opened)
	}
	if err != nil && store.IsDamage(ctx, err) {
		err = &DamagedError{Path: path, Err: err}
	}
	return receipts, err
}

// PutSealed makes a file of sealed receipts hold data, whole or not at all.
func (l *Ledger) PutSealed(ctx context.Context, file Entry, data []byte) error {
	if err := l.reach("seal"); err != nil {
		return err
	}
	err := l.writeData(ctx, file.Span, file.Path(), data, disk.Rename)
	if err == nil {
		err = l.clear(file.Span)
	}
	if err != nil {
		return fmt.Errorf("sealing the receipts of %v: %w", file.Span, err)
	}
	return nil
}

// RemoveFiles removes files of sealed receipts that others have taken the place of, and then marks
// of void shards: in this order no kill brings back what is void. Each step begins with a flush, so
// that no power cut undoes a step before it, whoever took it.
func (l *Ledger) RemoveFiles(ctx context.Context, sealed []Entry, void []frame.Span) error {
	var files, marks []string
	for _, entry := range sealed {
		files = append(files, entry.Path())
	}
	for _, span := range void {
		marks = append(marks, voidPath(span))
	}
	for _, paths := range [][]string{files, marks} {
		if err := l.removeAll(ctx, paths); err != nil {
			return fmt.Errorf("removing receipts that are sealed elsewhere: %w", err)
		}
	}
	return nil
}

func (l *Ledger) removeAll(ctx context.Context, paths []string) error {
	bucket, ok := l.store.(interface {
		RemoveAll(ctx context.Context, paths []string) error
	})
	if len(paths) == 0 {
		return nil
	}
	if !ok {
		if err := l.flush(path.Base(path.Dir(paths[0]))); err != nil {
			return err
		}
		return each(len(paths), func(i int) error {
			if err := l.reach("remove"); err != nil {
				return err
			}
			return disk.OrNone(disk.RemoveOwn(l.dir, paths[i]))
		})
	}
	if err := l.reach("remove"); err != nil {
		return err
	}
	return bucket.RemoveAll(ctx, paths)
}

// checkSealed holds the receipts of a file against what its name promises.
func checkSealed(receipts []*framepb.Receipt, file Entry, check func(*framepb.Receipt, Entry) error) error {
	next := file.Span.First
	for _, receipt := range receipts {
		shard := Entry{Span: file.Span.Slice(next, next+int64(receipt.Samples)), Failed: file.Failed}
		if err := check(receipt, shard); err != nil {
			return err
		}
		next = shard.Span.End()
	}
	if next != file.Span.End() {
		return fmt.Errorf("its shards end before sample %d, they must end before %d", next, file.Span.End())
	}
	return nil
}

// checkTable is check for a receipt without what it says of each frame.
func checkTable(receipt *framepb.Receipt, entry Entry) error { return checkBut(receipt, entry, nil) }

// fileOf returns the entry of the file that a sealed receipt lies in.
func fileOf(entry Entry) Entry {
	file, _ := parseSealedName(entry.Span.Series, entry.Sealed)
	return file
}

// sealedOver lists the files of sealed receipts that have a sample of a span, without
// listing the others of a bucket. None of them begins more than SealedSamples before it.
func (l *Ledger) sealedOver(ctx context.Context, span frame.Span) ([]Entry, error) {
	first := max(0, span.First-SealedSamples+1)
	names, err := l.namesBetween(ctx, path.Join("sealed", span.Series.ID()),
		frame.Instant(span.Series.At(first)), frame.Instant(span.Series.At(span.End()-1))+"~")
	if err != nil {
		return nil, fmt.Errorf("listing the sealed receipts of %s: %w", span.Series.StreamName, err)
	}
	var over []Entry
	for _, name := range names {
		if entry, ok := parseSealedName(span.Series, name); ok && len(overlap(span, []frame.Span{entry.Span})) > 0 {
			over = append(over, entry)
		}
	}
	return over, nil
}

// SealedIn lists the files of sealed receipts that begin in a block, as [Ledger.FilesIn] does.
func (l *Ledger) SealedIn(ctx context.Context, block frame.Span) ([]Entry, error) {
	over, err := l.sealedOver(ctx, block)
	slices.SortFunc(over, compareEntries)
	return slices.DeleteFunc(over, func(e Entry) bool { return e.Span.First < block.First }), err
}

// namesBetween lists the files of a folder whose names are from first to last.
func (l *Ledger) namesBetween(ctx context.Context, folder, first, last string) ([]string, error) {
	if bucket, ok := l.store.(interface {
		ListBetween(ctx context.Context, folder, first, last string) ([]string, error)
	}); ok {
		return bucket.ListBetween(ctx, folder, first, last)
	}
	names, _, err := l.store.List(ctx, folder)
	var between []string
	for _, name := range names {
		if strings.Compare(first, name) <= 0 && strings.Compare(name, last) <= 0 {
			between = append(between, name)
		}
	}
	return between, err
}
