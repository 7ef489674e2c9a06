package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

const descriptionFile = "dataset.json"

// descriptionLimit is the most that is read of a description.
const descriptionLimit = 16 << 20

// ErrNoDataset is the error of a folder that is no dataset, or does not exist.
var ErrNoDataset = errors.New("not a kvsframes dataset")

// ErrForeign is the error of a dataset that this version of kvsframes cannot
// use: written by another version, in a format that is not known, or with a
// damaged description.
var ErrForeign = errors.New("belongs to another kind of dataset")

// Open opens the dataset at dir: a folder, or the URL of a place in a bucket. It changes
// nothing. The error satisfies ErrNoDataset or ErrForeign, or says why the dataset cannot be
// read. ctx bounds the opening alone.
func Open(ctx context.Context, dir string) (*Dataset, error) {
	return store.OpenTwice(dir, func(root store.Store) (*Dataset, error) {
		return openIn(ctx, root, dir)
	}, ErrForeign)
}

func openIn(ctx context.Context, root store.Store, dir string) (*Dataset, error) {
	data, err := root.Read(ctx, descriptionFile, descriptionLimit)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("%q is %w: it has no %s", dir, ErrNoDataset, descriptionFile)
	}
	if errors.Is(err, store.ErrNoBucket) {
		return nil, fmt.Errorf("%q is %w: %w", dir, ErrNoDataset, err)
	}
	if unfit := (*store.UnfitError)(nil); errors.As(err, &unfit) {
		return nil, fmt.Errorf("%q %w: %s cannot be read: it %s", dir, ErrForeign, descriptionFile, unfit.Problem)
	}
	if isNoFile(err) {
		return nil, fault.Errorf("%q %w: %s is a folder: put back a copy of the file, or choose another %s",
			dir, ErrForeign, descriptionFile, folder)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the dataset %q: %w", dir, err)
	}
	desc, err := decodeDescription(data)
	if err != nil {
		return nil, fault.Errorf("%q %w: %v", dir, ErrForeign, err)
	}
	format, err := container.Of(desc.Format)
	if err != nil {
		return nil, fmt.Errorf("%q %w: %w", dir, ErrForeign, err)
	}
	if desc.ShardSamples < 1 || desc.ShardSamples > MaxShardSamples {
		return nil, fmt.Errorf("%q %w: it has %d samples a shard, there must be from 1 to %d",
			dir, ErrForeign, desc.ShardSamples, MaxShardSamples)
	}
	folder, _ := root.(store.Folder)
	return &Dataset{
		dir: dir, store: root, folder: string(folder), desc: desc, format: format, ledger: ledger.Open(dir),
	}, nil
}

// decodeDescription reads a description of this version. One of another version may
// have other fields, or no checksum.
func decodeDescription(data []byte) (*framepb.Dataset, error) {
	desc := new(framepb.Dataset)
	err := framepb.DecodeJSON(data, desc)
	if err == nil && desc.Version == version {
		return desc, nil
	}
	object, damage := framepb.CutChecksum(data)
	if errors.Is(damage, framepb.ErrNoChecksum) {
		object, damage = data, nil
	}
	var has struct{ Version int32 }
	if damage == nil && json.Unmarshal(object, &has) == nil && has.Version != version {
		return nil, fault.Errorf("it has version %d, this kvsframes knows %d: "+
			"use the one that wrote it, or choose another %s", has.Version, version, folder)
	}
	return nil, fault.Errorf("%s cannot be read: %w: put back a copy of it, or choose another %s",
		descriptionFile, err, folder)
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

// ownFolders are the folders of a dataset that nothing else belongs in.
var ownFolders = []string{"tmp", "shards", "ledger", "requests"}

// IsOwnFolder reports whether a dataset keeps its own files in a folder of that name, where
// nothing else belongs.
func IsOwnFolder(name string) bool { return slices.Contains(ownFolders, name) }
