package dataset

import (
	"context"
	"errors"
	"io/fs"
	"reflect"
	"syscall"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/dataset/internal/sealed"
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
	}
	if loose {
		return nil
	}
	return v.compareCard(ctx, all)
}

// checkSealed compares all rows and bytes of a file of the index with its receipts.
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
	if damage != nil {
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
