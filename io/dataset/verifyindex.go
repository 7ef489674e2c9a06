package dataset

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"reflect"
	"slices"
	"syscall"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/dataset/internal/sealed"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// checkIndex compares the rows of the index with its receipts, which were read before. The
// card is compared where nothing is loose: it tells what the index has. Nobody loads a picture
// by the card, and people write in it, so one that differs is worth a note only.
func (v *verifier) checkIndex(ctx context.Context) error {
	all, err := v.ledger.Survey(ctx)
	if err != nil {
		return err
	}
	loose := false
	for _, survey := range all {
		loose = loose || len(survey.Files.Loose) > 0
		for _, file := range survey.Files.Sealed {
			if !v.options.reads(file.Span) {
				continue
			}
			if err := v.checkSealed(ctx, file); err != nil {
				return err
			}
		}
		if err := v.checkIndexOf(ctx, survey); err != nil {
			return err
		}
	}
	if loose {
		return nil
	}
	return v.compareCard(ctx, all)
}

// checkSealed compares all rows and bytes of a file of sealed receipts with these.
func (v *verifier) checkSealed(ctx context.Context, file ledger.Entry) error {
	err := store.Twice(v.store, func() error {
		opened, err := v.store.Open(ctx, file.Path())
		if err != nil {
			return err
		}
		defer opened.Close()
		receipts, err := sealed.Open(opened)
		if err == nil {
			err = receipts.Check(v.format)
		}
		return err
	}, func(err error) bool { return store.IsDamage(ctx, err) })
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist): // another process has just replaced it
		return nil
	case !store.IsDamage(ctx, err):
		return err
	}
	if _, unread := v.ledger.Receipts(ctx, file); unread != nil {
		return nil // its receipts are damaged, which was said
	}
	v.found.harm("%s: %v: repair writes it anew", file.Path(), err)
	v.report.Stale, v.report.Repairable = true, true
	v.stale = append(v.stale, file)
	return nil
}

// checkIndexOf compares the index of a series with its sealed receipts, but for blocks that have
// something to seal, which is when the index is made.
func (v *verifier) checkIndexOf(ctx context.Context, survey ledger.Survey) error {
	have, err := v.ledger.Indexed(ctx, survey.Series)
	if err != nil {
		return err
	}
	if err := v.checkSize(survey.Files, have); err != nil {
		v.report.Damaged++
		v.found.harm("%v (repair leaves both)", err)
		return nil
	}
	unsealed := make(map[frame.Span]bool)
	for _, block := range v.blocksOf(survey.Files) {
		unsealed[block.Span] = true
	}
	want, files := v.blocksIn(survey.Files.Sealed)
	named := notInBoth(want, have)
	wrong := slices.Clone(named)
	for _, block := range want {
		if slices.Contains(named, block) || unsealed[block] {
			continue
		}
		if len(files[block]) == 1 && v.isOther(block, files[block][0]) {
			named, wrong = append(named, block), append(wrong, block)
			continue
		}
		if !v.options.reads(block) {
			continue
		}
		same, err := v.isIndexOf(ctx, block, files[block])
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // which another process has just replaced
			return err
		}
		if err == nil && !same {
			wrong = append(wrong, block)
		}
	}
	for _, block := range wrong {
		if unsealed[block] {
			continue
		}
		if v.isInTheWay(ledger.IndexPath(block)) {
			v.found.harm("%s: it is a folder: move it away (repair leaves it), then index or the next backfill writes the file",
				ledger.IndexPath(block))
			v.report.Stale = true
			continue
		}
		by := "repair"
		if slices.Contains(named, block) {
			by = "repair, index or the next backfill"
		}
		v.found.harm("%s: it is not what sealed receipts say: %s mends that", ledger.IndexPath(block), by)
		v.report.Stale, v.report.Repairable = true, true
		v.unindexed = append(v.unindexed, block)
	}
	return nil
}

// isIndexOf reports whether the index has of a block what files of sealed receipts say.
func (v *verifier) isIndexOf(ctx context.Context, block frame.Span, files []ledger.Entry) (same bool, err error) {
	if len(files) == 1 && v.ledger.IsLinked(block, files[0]) {
		return true, nil
	}
	rows, err := v.indexOf(ctx, files, nil)
	if err != nil || rows == nil {
		return true, err
	}
	err = store.Twice(v.store, func() error {
		have, err := v.store.Read(ctx, ledger.IndexPath(block), int64(len(rows))+1)
		if same = err == nil && bytes.Equal(have, rows); same || err != nil {
			return err
		}
		return errNotSame
	}, func(err error) bool { return err == errNotSame || isNoFile(err) })
	if err == errNotSame || isNoFile(err) {
		err = nil
	}
	return same, err
}

var errNotSame = errors.New("it is not the same")

// isNoFile reports whether an error is of something that is no file of ours, as a
// folder is.
func isNoFile(err error) bool {
	var unfit *store.UnfitError
	return errors.As(err, &unfit) || errors.Is(err, syscall.EISDIR)
}

// compareCatalog compares what the catalog says of files with what they come to: a backfill's
// summary is made of it.
func (v *verifier) compareCatalog(ctx context.Context, c *cataloger) error {
	counts, _, damage, err := v.readCatalog(ctx)
	if err != nil {
		return err
	}
	if damage != nil && v.isInTheWay(catalogFile) {
		v.found.harm("%s: it is a folder: move it away (repair leaves it), then index or the next backfill writes the file",
			catalogFile)
		v.report.Stale = true
	} else if damage != nil {
		v.found.note("%s: it is damaged, and is not asked: %v: indexing the dataset writes it anew", catalogFile, damage)
	}
	for _, file := range c.counted {
		if have := counts[file.Path()]; have != nil && !reflect.DeepEqual(have, c.catalog[file.Path()]) {
			v.found.harm("%s: what it says of %s is not what that file says: repair removes it", catalogFile, file.Path())
			v.report.Stale, v.report.Repairable, v.badCatalog = true, true, true
		}
	}
	return nil
}

func (v *verifier) compareCard(ctx context.Context, all []ledger.Survey) error {
	c := &cataloger{Dataset: v.Dataset, tally: newTally()}
	if err := c.count(ctx, all); err != nil {
		return err
	}
	if err := v.compareCatalog(ctx, c); err != nil {
		return err
	}
	want := c.card()
	have, ours, err := readCard(ctx, v.store, func(have []byte) bool { return string(have) == want })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if ours && string(have) != want {
		v.found.note("%s: it is not the card of the dataset as it is now: indexing the dataset writes it again; "+
			"whoever takes out its second line keeps it as it is", card.File)
	}
	return nil
}
