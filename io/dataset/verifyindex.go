package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"syscall"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// checkIndex compares the index with what Finish would write of the receipts that are
// there now. A missing index is no damage: whoever begins to write removes it. The card
// is compared where the index is right. Nobody loads a picture by the card, and people
// write in it, so one that differs is worth a note only.
func (v *verifier) checkIndex(ctx context.Context) error {
	index, err := v.openIndex(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var c *cataloger
	if err == nil {
		defer index.Close()
		c, err = v.compareIndex(ctx, index)
	}
	var damage *indexError
	switch {
	case err == nil:
		return v.compareCard(ctx, c)
	case errors.As(err, &damage), isNoFile(err):
		v.found.harm("%s: %v: index the dataset again", indexFile, err)
	case errors.Is(err, ErrForeign):
		v.found.harm("%v", err)
	default:
		return err
	}
	v.report.Stale = true
	return nil
}

// isNoFile reports whether an error is of something that is no file of ours, as a
// folder is.
func isNoFile(err error) bool {
	var unfit *store.UnfitError
	return errors.As(err, &unfit) || errors.Is(err, syscall.EISDIR)
}

// indexError says that an index is not that of the receipts.
type indexError struct{ err error }

func (e *indexError) Error() string { return e.err.Error() }

func (v *verifier) compareIndex(ctx context.Context, index *Index) (*cataloger, error) {
	c := &cataloger{Dataset: v.Dataset, tally: newTally()}
	next, stop := iter.Pull2(index.rows(ctx))
	defer stop()
	for part, err := range ledger.Parts(ctx, c.ledger, c.rowsOf) {
		if err != nil {
			return nil, err
		}
		c.add(part)
		for i := range part.samples {
			want := &part.samples[i]
			have, err, ok := next()
			switch {
			case err != nil:
				return nil, err
			case !ok:
				return nil, &indexError{fmt.Errorf("it ends before %s, which is recorded", want.Key)}
			case !sameRow(have, want):
				return nil, &indexError{fmt.Errorf("its row of %s is not what the receipt of %s says", have.Key, want.Key)}
			}
		}
	}
	have, err, more := next()
	if more && err == nil {
		err = &indexError{fmt.Errorf("it has a row of %s, which is in no receipt", have.Key)}
	}
	return c, err
}

// rows yields all rows of an index, in order, and compares all of its bytes with their
// seals. That it is damaged is an *indexError.
func (x *Index) rows(ctx context.Context) iter.Seq2[*Sample, error] {
	damage := func(err error) error {
		if !store.IsDamage(ctx, err) {
			return err
		}
		return &indexError{err}
	}
	return func(yield func(*Sample, error) bool) {
		for group := range x.Groups() {
			samples, err := x.Read(ctx, group)
			if err != nil {
				yield(nil, damage(err))
				return
			}
			for i := range samples {
				if !yield(&samples[i], nil) {
					return
				}
			}
		}
		err := x.twice(ctx, func() error { return checkBetween(x.ranges, x.seals) })
		if err != nil {
			yield(nil, damage(err))
		}
	}
}

// sameRow reports whether two samples have the same row.
func sameRow(a, b *Sample) bool {
	return a.Key == b.Key && a.Stream == b.Stream && a.StreamARN == b.StreamARN && a.Series == b.Series &&
		a.SampleMs == b.SampleMs && a.Kind == b.Kind && a.Outcome == b.Outcome && a.ImageMs == b.ImageMs &&
		a.File == b.File && a.Offset == b.Offset && a.Size == b.Size && a.SHA256 == b.SHA256 &&
		a.Format == b.Format && a.Width == b.Width && a.Height == b.Height && maps.Equal(a.Labels, b.Labels) &&
		a.TensorFile == b.TensorFile && a.TensorOffset == b.TensorOffset && a.TensorSize == b.TensorSize &&
		a.TensorSHA256 == b.TensorSHA256
}

func (v *verifier) compareCard(ctx context.Context, c *cataloger) error {
	if err := c.addRequests(ctx); err != nil {
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
