package ledger

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// Recorded is a receipt, and where it lies.
type Recorded struct {
	Receipt *framepb.Receipt
	Entry   Entry
}

// All reads every receipt, one a shard: series by series in the order of [Ledger.Series],
// each by first sample, then by samples. A damaged file yields a *DamagedError and no receipt,
// and All goes on; any other error is the last that it yields.
func (l *Ledger) All(ctx context.Context) iter.Seq2[Recorded, error] {
	return l.AllBut(ctx, func(frame.Span) bool { return false })
}

// AllBut is [Ledger.All], but where skip returns true for the shard of a sealed receipt, that is
// as [SealedFile.Table] has it: only the footer of its file is read.
func (l *Ledger) AllBut(ctx context.Context, skip func(shard frame.Span) bool) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		ids, err := l.ids(ctx)
		if err != nil {
			yield(Recorded{}, err)
			return
		}
		for _, id := range ids {
			if !l.all(ctx, id, skip, yield) {
				return
			}
		}
	}
}

func (l *Ledger) all(ctx context.Context, id string, skip func(frame.Span) bool,
	yield func(Recorded, error) bool,
) bool {
	series, ok, err := l.seriesOf(ctx, id)
	if err != nil {
		yield(Recorded{}, err)
		return false
	}
	if !ok {
		return l.allDamaged(ctx, id, yield)
	}
	shards, damaged, err := l.Shards(ctx, series, nil)
	if err != nil {
		yield(Recorded{}, err)
		return false
	}
	for _, err := range damaged {
		if !yield(Recorded{}, err) {
			return false
		}
	}
	var entries []Entry // that are read before the next table is yielded
	for _, shard := range onePerShard(shards) {
		if shard.Table == nil || !skip(shard.Span) {
			entries = append(entries, shard.Entry)
			continue
		}
		if !l.yieldRead(ctx, entries, yield) || !yield(Recorded{shard.Table, shard.Entry}, nil) {
			return false
		}
		entries = nil
	}
	return l.yieldRead(ctx, entries, yield)
}

// yieldRead yields the receipts of entries, and whether to go on.
func (l *Ledger) yieldRead(ctx context.Context, entries []Entry, yield func(Recorded, error) bool) bool {
	for got := range l.readAhead(ctx, entries) {
		for i, entry := range got.entries {
			var recorded Recorded
			if got.err == nil {
				recorded = Recorded{got.receipts[i], entry}
			}
			if errors.Is(got.err, fs.ErrNotExist) {
				continue // replaced while All was reading
			}
			if !yield(recorded, got.err) || got.err != nil && !isDamaged(got.err) {
				return false
			}
			if got.err != nil {
				break // it is damage of one file
			}
		}
	}
	return true
}

// allDamaged yields the files of a series of which none says which it is: each of them is
// damaged.
func (l *Ledger) allDamaged(ctx context.Context, id string, yield func(Recorded, error) bool) bool {
	for _, kind := range []string{"ledger", "sealed", "index"} {
		names, _, err := l.store.List(ctx, path.Join(kind, id))
		if err != nil {
			yield(Recorded{}, err)
			return false
		}
		for _, name := range names {
			if !isOwn(kind, name, frame.Series{}, false) {
				continue
			}
			err := &DamagedError{Path: path.Join(kind, id, name), Err: errors.New("no file of this series can be read")}
			if !yield(Recorded{}, err) {
				return false
			}
		}
	}
	return true
}

// fileRead is what was read of one file.
type fileRead struct {
	entries  []Entry
	receipts []*framepb.Receipt // one an entry, where err is nil
	err      error
}

// readAhead reads the receipts of entries, file by file, some files at once, and yields them
// in that order.
func (l *Ledger) readAhead(ctx context.Context, entries []Entry) iter.Seq[fileRead] {
	files := byFile(entries, func(e Entry) Entry { return e })
	return ahead(len(files), depth(entries), func(i int) fileRead { return l.readFile(ctx, files[i]) })
}

// readFile reads receipts that lie in one file.
func (l *Ledger) readFile(ctx context.Context, entries []Entry) fileRead {
	got := fileRead{entries: entries}
	if entries[0].Sealed == "" {
		receipt, err := l.Read(ctx, entries[0])
		got.receipts, got.err = []*framepb.Receipt{receipt}, err
		return got
	}
	all, err := l.Receipts(ctx, fileOf(entries[0]))
	got.receipts, got.err = make([]*framepb.Receipt, len(entries)), err
	for i, entry := range entries {
		for len(all) > 0 && all[0].Span().First < entry.Span.First {
			all = all[1:]
		}
		if len(all) > 0 && all[0].Span() == entry.Span {
			got.receipts[i] = all[0]
		} else if got.err == nil {
			got.err = &DamagedError{entry.Path(), fileOf(entry), errors.New("it has another table of shards than before")}
		}
	}
	return got
}

// byFile cuts a list where the file changes: a loose receipt is one of its own.
func byFile[T any](all []T, entry func(T) Entry) (files [][]T) {
	for len(all) > 0 {
		n := 1
		for sealed := entry(all[0]).Sealed; sealed != "" && n < len(all) && entry(all[n]).Sealed == sealed; n++ {
		}
		files, all = append(files, all[:n:n]), all[n:]
	}
	return files
}

// How many files are read before they are asked for: a sealed one may have [SealedSamples].
const (
	looseAhead  = 2 * readers
	sealedAhead = 3
)

func depth(entries []Entry) int {
	if slices.ContainsFunc(entries, func(e Entry) bool { return e.Sealed != "" }) {
		return sealedAhead
	}
	return looseAhead
}
