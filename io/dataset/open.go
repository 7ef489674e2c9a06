package dataset

import (
	"context"
	"errors"
	"fmt"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

const descriptionFile = ledger.DescriptionFile

// ErrNoDataset is the error of a folder that is no dataset, or does not exist.
var ErrNoDataset = ledger.ErrNoDataset

// ErrForeign is the error of a dataset that this version of kvsframes cannot
// use: written by another version, in a format that is not known, or with a
// damaged description.
var ErrForeign = ledger.ErrForeign

// Open opens the dataset at dir: a folder, or the URL of a place in a bucket. It changes
// nothing. The error satisfies ErrNoDataset or ErrForeign, or says why the dataset cannot be
// read. ctx bounds the opening alone.
func Open(ctx context.Context, dir string) (*Dataset, error) {
	root, err := store.At(dir)
	if err != nil {
		return nil, err
	}
	receipts := ledger.Open(dir)
	desc, err := receipts.Description(ctx)
	if err != nil {
		return nil, err
	}
	format, err := container.Of(desc.Format)
	if err != nil {
		return nil, fmt.Errorf("%q %w: %w", dir, ErrForeign, err)
	}
	folder, _ := root.(store.Folder)
	return &Dataset{
		dir: dir, store: root, folder: string(folder), desc: desc, format: format, ledger: receipts,
	}, nil
}

// Check returns the options of the dataset that Create would open or make, and the errors
// that it would without trying to write: it leaves no trace.
func Check(ctx context.Context, dir string, want Options) (Options, error) {
	desc, err := check(ctx, dir, want)
	if err != nil {
		return Options{}, err
	}
	return optionsOf(desc), nil
}

func check(ctx context.Context, dir string, want Options) (*framepb.Dataset, error) {
	if dir == "" {
		return nil, errors.New("no place is named for the dataset")
	}
	if err := want.validate(); err != nil {
		return nil, err
	}
	ds, err := Open(ctx, dir)
	if errors.Is(err, ErrNoDataset) {
		problem := store.CheckEmpty(ctx, dir, descriptionFile, ErrNoDataset)
		if problem == nil {
			return want.describe(), nil
		}
		if ds, err = Open(ctx, dir); errors.Is(err, ErrNoDataset) { // or has another process just made it?
			return nil, refused(problem)
		}
	}
	if err != nil {
		return nil, err
	}
	return ds.desc, want.match(dir, ds.desc)
}

// refused adds what to do to the error of a place that no dataset can be made in.
func refused(err error) error {
	if taken := (*store.TakenError)(nil); errors.As(err, &taken) {
		return fault.Errorf("%w: choose another %s", err, folder)
	}
	return err
}

// Create opens the dataset at dir for writing and creates it where there is
// none. It refuses a dataset that is not what is wanted (every field that
// differs, a *MismatchError each), a folder that is not empty and no dataset,
// and one that cannot be written: it tries. Where it fails it leaves nothing
// behind. Many processes may create the same dataset at once. ctx bounds what is
// asked of a store on a network.
func Create(ctx context.Context, dir string, want Options) (*Dataset, error) {
	desc, err := check(ctx, dir, want)
	if err != nil {
		return nil, err
	}
	data, err := framepb.EncodeJSON(desc)
	if err != nil {
		return nil, err
	}
	root, err := store.At(dir)
	if err != nil {
		return nil, err
	}
	if err := store.MakeFile(ctx, root, descriptionFile, data); err != nil {
		return nil, err
	}
	ds, err := Open(ctx, dir)
	if err == nil {
		err = want.match(dir, ds.desc) // another process may have been first
	}
	if err == nil {
		err = ds.checkFolders()
	}
	if err != nil {
		return nil, err
	}
	if err := ds.Sweep(ctx); err != nil {
		return nil, fmt.Errorf("opening the dataset %q: %w", dir, err)
	}
	return ds, nil
}
