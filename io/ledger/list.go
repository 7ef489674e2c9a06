package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

const failedSuffix = ".failed"

// Have lists the shards of a series that have a receipt, by first sample, then
// by samples. A shard with both receipts is listed once, as complete. Only
// names are read: a listed receipt may still prove damaged.
func (l *Ledger) Have(ctx context.Context, series frame.Series) ([]Entry, error) {
	entries, err := l.entries(ctx, series)
	return onePerShard(entries), err
}

// onePerShard keeps the first receipt of each shard, and changes entries.
func onePerShard(entries []Entry) []Entry {
	return slices.CompactFunc(entries, func(a, b Entry) bool { return a.Span == b.Span })
}

// entries is Have with both receipts of a shard that has two.
func (l *Ledger) entries(ctx context.Context, series frame.Series) ([]Entry, error) {
	if series.IntervalMs <= 0 {
		return nil, fmt.Errorf("listing the receipts of %s: its interval is %d ms, it must be positive", series.StreamName,
			series.IntervalMs)
	}
	names, _, err := l.store.List(ctx, path.Join("ledger", series.ID()))
	if err != nil {
		return nil, fmt.Errorf("listing the receipts of %s: %w", series.StreamName, err)
	}
	entries := make([]Entry, 0, len(names))
	for _, name := range names {
		if entry, ok := parseReceiptName(series, name); ok {
			entries = append(entries, entry)
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(a.Span.Compare(b.Span), compareBool(a.Failed, b.Failed))
	})
	return entries, nil
}

// Series lists every series that has receipts or requests, by [frame.Series.ID].
// One whose files are all damaged is left out: see [Ledger.All].
func (l *Ledger) Series(ctx context.Context) ([]frame.Series, error) {
	ids, err := l.ids(ctx)
	if err != nil {
		return nil, err
	}
	var all []frame.Series
	for _, id := range ids {
		series, ok, err := l.seriesOf(ctx, id)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, series)
		}
	}
	return all, nil
}

// All reads every receipt: series by series in the order of [Ledger.Series],
// each in the order of [Ledger.Have]. A damaged receipt yields nil and a
// *DamagedError, and All goes on; any other error is the last that it yields.
func (l *Ledger) All(ctx context.Context) iter.Seq2[*framepb.Receipt, error] {
	return func(yield func(*framepb.Receipt, error) bool) {
		ids, err := l.ids(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, id := range ids {
			if !l.all(ctx, id, yield) {
				return
			}
		}
	}
}

func (l *Ledger) all(ctx context.Context, id string, yield func(*framepb.Receipt, error) bool) bool {
	series, ok, err := l.seriesOf(ctx, id)
	if err != nil {
		yield(nil, err)
		return false
	}
	if !ok {
		return l.allDamaged(ctx, id, yield)
	}
	entries, err := l.Have(ctx, series)
	if err != nil {
		yield(nil, err)
		return false
	}
	for entries := range slices.Chunk(entries, readers) {
		receipts, errs := make([]*framepb.Receipt, len(entries)), make([]error, len(entries))
		each(len(entries), func(i int) error {
			receipts[i], errs[i] = l.Read(ctx, entries[i])
			return nil
		})
		for i, err := range errs {
			if errors.Is(err, fs.ErrNotExist) {
				continue // replaced while All was reading
			}
			var damaged *DamagedError
			if !yield(receipts[i], err) || err != nil && !errors.As(err, &damaged) {
				return false
			}
		}
	}
	return true
}

// allDamaged yields the receipts of a folder without a file that says which
// series it is of: each of them is damaged.
func (l *Ledger) allDamaged(ctx context.Context, id string, yield func(*framepb.Receipt, error) bool) bool {
	names, _, err := l.store.List(ctx, path.Join("ledger", id))
	if err != nil {
		yield(nil, err)
		return false
	}
	for _, name := range names {
		if _, _, _, ok := splitName(name); !ok {
			continue
		}
		err := &DamagedError{Path: path.Join("ledger", id, name), Err: errors.New("no file of this series can be read")}
		if !yield(nil, err) {
			return false
		}
	}
	return true
}

// Strays lists what is in the ledger's folders and is not one of its files, by
// path relative to the ledger's folder. Everything else ignores it.
func (l *Ledger) Strays(ctx context.Context) ([]string, error) {
	var strays []string
	for _, kind := range []string{"ledger", "requests"} {
		files, ids, err := l.store.List(ctx, kind)
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			strays = append(strays, path.Join(kind, name))
		}
		for _, id := range ids {
			files, folders, err := l.store.List(ctx, path.Join(kind, id))
			if err != nil {
				return nil, err
			}
			series, known, err := l.seriesOf(ctx, id)
			if err != nil {
				return nil, err
			}
			for _, name := range folders {
				strays = append(strays, path.Join(kind, id, name))
			}
			for _, name := range files {
				_, _, failed, ok := splitName(name)
				switch {
				case kind == "requests":
					ok = ok && !failed // what has the name of another series' request is a damaged one
				case ok && known:
					_, ok = parseReceiptName(series, name)
				}
				if !ok {
					strays = append(strays, path.Join(kind, id, name))
				}
			}
		}
	}
	slices.Sort(strays)
	return strays, nil
}

// ids lists the folders of series that have receipts or requests.
func (l *Ledger) ids(ctx context.Context) ([]string, error) {
	var ids []string
	for _, kind := range []string{"ledger", "requests"} {
		_, folders, err := l.store.List(ctx, kind)
		if err != nil {
			return nil, err
		}
		ids = append(ids, folders...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// seriesOf finds the series with an ID by reading its files until one says.
func (l *Ledger) seriesOf(ctx context.Context, id string) (series frame.Series, ok bool, err error) {
	for _, kind := range []string{"requests", "ledger"} {
		names, _, err := l.store.List(ctx, path.Join(kind, id))
		if err != nil {
			return series, false, err
		}
		for _, name := range names {
			var stored interface{ GetSeries() *framepb.StoredSeries }
			file := path.Join(kind, id, name)
			if kind == "requests" {
				request := new(framepb.Request)
				stored, err = request, l.read(ctx, file, request, nil)
			} else {
				receipt := new(framepb.Receipt)
				stored, err = receipt, l.read(ctx, file, receipt, nil)
			}
			var damaged *DamagedError
			if err != nil && !errors.As(err, &damaged) && !errors.Is(err, fs.ErrNotExist) {
				return series, false, err
			}
			s := stored.GetSeries().Value()
			if err != nil || s.ID() != id || checkSeries(s) != nil {
				continue
			}
			if kind == "ledger" || s.CheckNames() == nil { // a crafted receipt is for pack to refuse, by its names
				return s, true, nil
			}
		}
	}
	return series, false, nil
}

func receiptName(entry Entry) string {
	name := entry.Span.Name()
	if entry.Failed {
		name += failedSuffix
	}
	return name + ".json"
}

// parseReceiptName is parseName for the receipts of shards.
func parseReceiptName(series frame.Series, name string) (Entry, bool) {
	entry, ok := parseName(series, name)
	return entry, ok && checkShardSpan(entry.Span) == nil
}

// parseName reads what receiptName wrote, for samples that the series can have.
func parseName(series frame.Series, name string) (Entry, bool) {
	ms, samples, failed, ok := splitName(name)
	if !ok {
		return Entry{}, false
	}
	entry := Entry{Span: frame.Span{Series: series, First: series.Index(ms), Samples: samples}, Failed: failed}
	return entry, checkSpan(entry.Span) == nil && series.At(entry.Span.First) == ms && receiptName(entry) == name
}

// splitName reads the form of a name: instant, samples, and whether failed.
func splitName(name string) (ms, samples int64, failed, ok bool) {
	name, ok = strings.CutSuffix(name, ".json")
	if !ok {
		return 0, 0, false, false
	}
	name, failed = strings.CutSuffix(name, failedSuffix)
	instant, count, ok := strings.Cut(name, "-")
	if !ok {
		return 0, 0, false, false
	}
	ms, err := frame.ParseInstant(instant)
	if err != nil {
		return 0, 0, false, false
	}
	samples, err = strconv.ParseInt(count, 10, 64)
	return ms, samples, failed, err == nil && samples > 0
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
