package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// Files is what the names of a series' receipts say.
type Files struct {
	Loose  []Entry      // receipts of one shard each
	Sealed []Entry      // files of sealed receipts
	Void   []frame.Span // shards of which what sealed receipts say holds no longer
}

// Files lists the receipts of a series, each list by first sample, then by samples. Only
// names are read: what is listed may still prove damaged.
func (l *Ledger) Files(ctx context.Context, series frame.Series) (Files, error) {
	return l.list(ctx, series, func(folder string) ([]string, error) {
		names, _, err := l.store.List(ctx, folder)
		return names, err
	})
}

// FilesIn is [Ledger.Files] for those that begin in a block, see [BlockOf].
func (l *Ledger) FilesIn(ctx context.Context, block frame.Span) (Files, error) {
	first, last := frame.Instant(block.Series.At(block.First)), frame.Instant(block.Series.At(block.End()-1))
	return l.list(ctx, block.Series, func(folder string) ([]string, error) {
		return l.namesBetween(ctx, folder, first, last+"~")
	})
}

func (l *Ledger) list(ctx context.Context, series frame.Series, list func(folder string) ([]string, error)) (
	files Files, err error,
) {
	if series.IntervalMs <= 0 {
		return files, fmt.Errorf("listing the receipts of %s: its interval is %d ms, it must be positive", series.StreamName,
			series.IntervalMs)
	}
	// In this order: a receipt is in its sealed file before it is no longer loose.
	loose, err := list(path.Join("ledger", series.ID()))
	var sealed []string
	if err == nil {
		sealed, err = l.listSealed(func() ([]string, error) { return list(path.Join("sealed", series.ID())) })
	}
	if err != nil {
		return files, fmt.Errorf("listing the receipts of %s: %w", series.StreamName, err)
	}
	for _, name := range loose {
		if entry, ok := parseReceiptName(series, name); ok {
			files.Loose = append(files.Loose, entry)
		} else if void, ok := parseVoidName(series, name); ok {
			files.Void = append(files.Void, void)
		}
	}
	for _, name := range sealed {
		if entry, ok := parseSealedName(series, name); ok {
			files.Sealed = append(files.Sealed, entry)
		}
	}
	slices.SortFunc(files.Loose, compareEntries)
	slices.SortFunc(files.Sealed, compareEntries)
	slices.SortFunc(files.Void, frame.Span.Compare)
	return files, nil
}

// listSealed lists until two lists agree, where a list is not of one moment: a file that
// takes the place of another one could be missed, and the other one, too.
func (l *Ledger) listSealed(list func() ([]string, error)) (names []string, err error) {
	atOnce := 1000 // names that a bucket lists in one answer
	if _, local := l.store.(store.Folder); local {
		atOnce = 100 // and a file system in one call
	}
	for range attempts {
		before := names
		if names, err = list(); err != nil || len(names) < atOnce || slices.Equal(before, names) {
			break
		}
	}
	return names, err
}

func compareEntries(a, b Entry) int {
	return cmp.Or(a.Span.Compare(b.Span), compareBool(a.Failed, b.Failed), cmp.Compare(a.Sealed, b.Sealed))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Done returns the samples that are in complete receipts, as far as names tell, as
// [frame.Union] does.
func (f Files) Done() []frame.Span {
	return f.union(func(e Entry) bool { return !e.Failed })
}

// Recorded returns the samples that are in receipts, complete or not, as far as names tell, as
// [frame.Union] does.
func (f Files) Recorded() []frame.Span { return f.union(func(Entry) bool { return true }) }

func (f Files) union(of func(Entry) bool) []frame.Span {
	var spans []frame.Span
	for _, entry := range f.Loose {
		if of(entry) {
			spans = append(spans, entry.Span)
		}
	}
	for _, file := range f.Sealed {
		if of(file) {
			spans = append(spans, f.standing(file.Span)...)
		}
	}
	return frame.Union(spans)
}

// standing returns the samples of a file of sealed receipts that are in no shard that is void.
// Of such a shard the file has all samples, or none: others may be of one that took its place.
func (f Files) standing(file frame.Span) []frame.Span {
	var void []frame.Span
	for _, span := range f.Void {
		if file.First <= span.First && span.End() <= file.End() {
			void = append(void, span)
		}
	}
	return frame.Minus([]frame.Span{file}, frame.Union(void))
}

// Has reports whether all files of a list before are still there, and no shard has become void
// since.
func (f Files) Has(before Files) bool {
	has := func(all, some []Entry) bool {
		return !slices.ContainsFunc(some, func(e Entry) bool {
			_, found := slices.BinarySearchFunc(all, e, compareEntries)
			return !found
		})
	}
	return has(f.Loose, before.Loose) && has(f.Sealed, before.Sealed) && slices.Equal(f.Void, before.Void)
}

// Shard is a receipt that a ledger has, and for a sealed one what the footer of its file
// says: see [SealedFile.Table].
type Shard struct {
	Entry
	Table *framepb.Receipt // nil where the receipt is loose
}

// Shards lists the receipts of a series that have a sample of a region, as [frame.Union]
// returns it, or all where it is nil, by first sample, then by samples: those that count first where receipts are of the
// same shard. It reads names, and the footers of files of sealed receipts; those that are
// damaged are left out and returned.
func (l *Ledger) Shards(ctx context.Context, series frame.Series, region []frame.Span) (
	shards []Shard, damaged []*DamagedError, err error,
) {
	for range attempts {
		files, problem := l.Files(ctx, series)
		if problem != nil {
			return nil, nil, problem
		}
		shards, damaged, err = l.shardsOf(ctx, files, region)
		if !errors.Is(err, fs.ErrNotExist) { // else a file was replaced since it was listed
			break
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the sealed receipts of %s: %w", series.StreamName, err)
	}
	return shards, damaged, nil
}

func (l *Ledger) shardsOf(ctx context.Context, files Files, region []frame.Span) (
	shards []Shard, damaged []*DamagedError, err error,
) {
	within := func(span frame.Span) bool { return region == nil || len(overlap(span, region)) > 0 }
	for _, entry := range files.Loose {
		if within(entry.Span) {
			shards = append(shards, Shard{Entry: entry})
		}
	}
	sealed := slices.DeleteFunc(slices.Clone(files.Sealed), func(e Entry) bool { return !within(e.Span) })
	tables, errs := make([][]*framepb.Receipt, len(sealed)), make([]error, len(sealed))
	each(len(sealed), func(i int) error {
		tables[i], errs[i] = l.Tables(ctx, sealed[i])
		return nil
	})
	for i, file := range sealed {
		var broken *DamagedError
		if errors.As(errs[i], &broken) {
			damaged = append(damaged, broken)
			continue
		}
		if errs[i] != nil {
			return nil, nil, errs[i]
		}
		for _, receipt := range tables[i] {
			entry := file
			if entry.Span = receipt.Span(); within(entry.Span) && !contains(files.Void, entry.Span) {
				shards = append(shards, Shard{entry, receipt})
			}
		}
	}
	slices.SortFunc(shards, func(a, b Shard) int { return compareEntries(a.Entry, b.Entry) })
	return shards, damaged, nil
}

func contains(sorted []frame.Span, span frame.Span) bool {
	_, found := slices.BinarySearchFunc(sorted, span, frame.Span.Compare)
	return found
}

// onePerShard keeps the first receipt of each shard, and changes shards.
func onePerShard(shards []Shard) []Shard {
	return slices.CompactFunc(shards, func(a, b Shard) bool { return a.Span == b.Span })
}
