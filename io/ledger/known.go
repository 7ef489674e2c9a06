package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
)

// Known is what names tell of the receipts of a shard.
type Known struct {
	Complete bool         // it has a loose receipt that is complete
	Failed   bool         // it has a loose receipt with FAILED gaps
	Void     bool         // what sealed receipts say of it holds no longer
	Sealed   []Entry      // files of sealed receipts that have samples of it
	Done     []frame.Span // of its samples, those in complete receipts, as [frame.Union] returns them
}

// Nothing reports whether there is no receipt of any sample of the shard.
func (k Known) Nothing() bool { return !k.Complete && !k.Failed && !k.Void && len(k.Sealed) == 0 }

// Known looks at the names of a shard's receipts. In a bucket that takes two requests.
func (l *Ledger) Known(ctx context.Context, shard frame.Span) (known Known, err error) {
	names, err := l.namesOf(ctx, shard)
	if err != nil {
		return known, fmt.Errorf("listing the receipts of %v: %w", shard, err)
	}
	stem := shard.Name()
	known.Complete = slices.Contains(names, stem+looseSuffix)
	known.Failed = slices.Contains(names, stem+failedSuffix+looseSuffix)
	known.Void = slices.Contains(names, stem+voidSuffix+looseSuffix)
	// In this order: a receipt is in its sealed file before it is no longer loose.
	if known.Sealed, err = l.sealedOver(ctx, shard); err != nil {
		return known, err
	}
	files := Files{Sealed: known.Sealed}
	if known.Complete {
		files.Loose = []Entry{{Span: shard}}
	}
	if known.Void {
		files.Void = []frame.Span{shard}
	}
	for _, done := range files.Done() {
		known.Done = append(known.Done, overlap(shard, []frame.Span{done})...)
	}
	return known, nil
}

// namesOf lists the loose files of a shard.
func (l *Ledger) namesOf(ctx context.Context, shard frame.Span) (names []string, err error) {
	folder, stem := path.Join("ledger", shard.Series.ID()), shard.Name()
	if l.dir == "" {
		return l.namesBetween(ctx, folder, stem+".", stem+"~")
	}
	for _, ending := range []string{looseSuffix, failedSuffix + looseSuffix, voidSuffix + looseSuffix} {
		_, err := os.Lstat(filepath.Join(l.dir, filepath.FromSlash(folder), stem+ending))
		if err == nil {
			names = append(names, stem+ending)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return names, nil
}
