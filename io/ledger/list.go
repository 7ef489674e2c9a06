package ledger

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// kinds are the folders of a ledger.
var kinds = []string{"requests", "ledger", "sealed", "index"}

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

// Strays lists what is in the ledger's folders and is not one of its files, by
// path relative to the ledger's folder. Everything else ignores it.
func (l *Ledger) Strays(ctx context.Context) ([]string, error) {
	var strays []string
	for _, kind := range kinds {
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
			files = slices.DeleteFunc(files, func(name string) bool { return isOwn(kind, name, series, known) })
			for _, name := range append(folders, files...) {
				strays = append(strays, path.Join(kind, id, name))
			}
		}
	}
	slices.Sort(strays)
	return strays, nil
}

// isOwn reports whether a name is one of a ledger's files; where the series is not known,
// whether it has the form of one.
func isOwn(kind, name string, series frame.Series, known bool) bool {
	_, _, failed, hasForm := splitName(name)
	switch {
	case kind == "requests":
		return hasForm && !failed // what has the name of another series' request is a damaged one
	case known && kind == "index":
		_, ok := parseIndexName(series, name)
		return ok
	case kind == "index":
		stem, isParquet := strings.CutSuffix(name, sealedSuffix)
		_, _, failed, hasForm := splitName(stem + looseSuffix)
		return isParquet && hasForm && !failed
	case !known && kind == "sealed":
		return strings.HasSuffix(name, sealedSuffix) && sealedDigest.MatchString(strings.TrimSuffix(name, sealedSuffix))
	case !known:
		return hasForm
	case kind == "sealed":
		_, ok := parseSealedName(series, name)
		return ok
	}
	_, isReceipt := parseReceiptName(series, name)
	_, isVoid := parseVoidName(series, name)
	return isReceipt || isVoid
}

// ids lists the folders of series that have receipts or requests.
func (l *Ledger) ids(ctx context.Context) ([]string, error) {
	var ids []string
	for _, kind := range kinds {
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
	for _, kind := range kinds {
		names, _, err := l.store.List(ctx, path.Join(kind, id))
		if err != nil {
			return series, false, err
		}
		for _, name := range names {
			s, err := l.seriesIn(ctx, kind, path.Join(kind, id, name))
			if err != nil && !isDamaged(err) && !errors.Is(err, fs.ErrNotExist) {
				return series, false, err
			}
			if err != nil || s.ID() != id || checkSeries(s) != nil {
				continue
			}
			if kind != "requests" || s.CheckNames() == nil { // a crafted receipt is for pack to refuse, by its names
				return s, true, nil
			}
		}
	}
	return series, false, nil
}

// seriesIn reads the series that a file says it is of.
func (l *Ledger) seriesIn(ctx context.Context, kind, file string) (frame.Series, error) {
	switch kind {
	case "requests":
		request := new(framepb.Request)
		err := l.read(ctx, file, request, nil)
		return request.GetSeries().Value(), err
	case "ledger":
		receipt := new(framepb.Receipt)
		err := l.read(ctx, file, receipt, nil)
		return receipt.GetSeries().Value(), err
	}
	receipts, err := l.readSealed(ctx, file, tableOf)
	if err != nil || len(receipts) == 0 {
		return frame.Series{}, err
	}
	return receipts[0].GetSeries().Value(), nil
}
