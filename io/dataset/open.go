package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/card"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/internal/own"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

const descriptionFile = "dataset.json"

// descriptionLimit is the most that is read of a description.
const descriptionLimit = 16 << 20

// sweepAge is when what stands in tmp can belong to no living writer.
const sweepAge = 24 * time.Hour

// ErrNoDataset is the error of a folder that is no dataset, or does not exist.
var ErrNoDataset = errors.New("not a kvsframes dataset")

// ErrForeign is the error of a dataset that this version of kvsframes cannot
// use: written by another version, in a format that is not known, or with a
// damaged description.
var ErrForeign = errors.New("belongs to another kind of dataset")

// Open returns the description of the dataset at dir: a folder, or the URL of a
// place in a bucket. The error satisfies ErrNoDataset or ErrForeign, or says why
// the dataset cannot be read. ctx bounds what is asked of a store on a network.
func Open(ctx context.Context, dir string) (*framepb.Dataset, error) {
	return store.OpenTwice(dir, func(root store.Store) (*framepb.Dataset, error) {
		return openIn(ctx, root, dir)
	}, ErrForeign)
}

func openIn(ctx context.Context, root store.Store, dir string) (*framepb.Dataset, error) {
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
	if _, err := container.Of(desc.Format); err != nil {
		return nil, fmt.Errorf("%q %w: %w", dir, ErrForeign, err)
	}
	if desc.ShardSamples < 1 || desc.ShardSamples > MaxShardSamples {
		return nil, fmt.Errorf("%q %w: it has %d samples a shard, there must be from 1 to %d",
			dir, ErrForeign, desc.ShardSamples, MaxShardSamples)
	}
	return desc, nil
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

// opened is Open, with the dataset's format and the store that it lies in.
func opened(ctx context.Context, dir string) (*framepb.Dataset, container.Format, store.Store, error) {
	desc, err := Open(ctx, dir)
	if err != nil {
		return nil, nil, nil, err
	}
	format, err := container.Of(desc.Format)
	if err != nil {
		return nil, nil, nil, err
	}
	root, err := store.At(dir)
	return desc, format, root, err
}

// Check returns the description that Create would, and the errors that it would
// without trying to write: it leaves no trace.
func Check(ctx context.Context, dir string, want Options) (*framepb.Dataset, error) {
	if dir == "" {
		return nil, errors.New("no place is named for the dataset")
	}
	if err := want.validate(); err != nil {
		return nil, err
	}
	desc, err := Open(ctx, dir)
	if errors.Is(err, ErrNoDataset) {
		problem := store.CheckEmpty(ctx, dir, descriptionFile, ErrNoDataset)
		if problem == nil {
			return want.describe(), nil
		}
		if desc, err = Open(ctx, dir); errors.Is(err, ErrNoDataset) { // or has another process just made it?
			return nil, refused(problem)
		}
	}
	if err != nil {
		return nil, err
	}
	return desc, want.match(dir, desc)
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
func Create(ctx context.Context, dir string, want Options) (*framepb.Dataset, error) {
	desc, err := Check(ctx, dir, want)
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
	folder, ok := root.(store.Folder)
	if !ok {
		return Check(ctx, dir, want) // another process may have been first
	}
	if err := checkOwnFolders(string(folder)); err != nil {
		return nil, err
	}
	if err := Sweep(dir); err != nil {
		return nil, fmt.Errorf("opening the dataset %q: %w", dir, err)
	}
	return Check(ctx, dir, want)
}

// ownFolders are the folders of a dataset that nothing else belongs in.
var ownFolders = []string{"tmp", "shards", "ledger", "requests"}

// IsOwnFolder reports whether a dataset keeps its own files in a folder of that name, where
// nothing else belongs.
func IsOwnFolder(name string) bool { return slices.Contains(ownFolders, name) }

// checkOwnFolders refuses to change a dataset whose folders are not in it: files are
// replaced and removed in them.
func checkOwnFolders(dir string) error {
	for _, name := range ownFolders {
		if err := own.CheckFolder(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("the dataset %q cannot be changed: %w", dir, err)
		}
	}
	return nil
}

// Sweep removes from the dataset at dir what killed writers left, as Create does,
// and the folder for what is being written where nothing is. What has another name
// stays. Call it when a job has ended.
//
// In a bucket there is nothing to sweep, nor in a folder that is no dataset.
func Sweep(dir string) error {
	root, err := store.At(dir)
	if err != nil {
		return err
	}
	folder, ok := root.(store.Folder)
	if !ok || !own.Exists(filepath.Join(string(folder), descriptionFile)) {
		return nil
	}
	dir = string(folder)
	if err := store.SweepMade(folder, descriptionFile); err != nil {
		return err
	}
	err = own.Sweep(filepath.Join(dir, "tmp"), func(name string, entry fs.DirEntry) bool {
		return (name == indexFile || name == card.File) && isOld(entry)
	})
	if err != nil {
		return fmt.Errorf("sweeping tmp: %w", err)
	}
	return ledger.Open(dir).Sweep(sweepAge)
}

func isOld(entry fs.DirEntry) bool {
	info, err := entry.Info()
	return err == nil && time.Since(info.ModTime()) > sweepAge
}
