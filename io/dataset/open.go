package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/internal/own"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

const descriptionFile = "dataset.json"

// descriptionLimit is the most that is read of a description: that of a packed set
// names its streams, and so has room for 60,000 of the longest names.
const descriptionLimit = 16 << 20

// sweepAge is when what stands in tmp can belong to no living writer.
const sweepAge = 24 * time.Hour

// attempts bounds how often a step is done again because another process
// removed an empty folder, or what it took for the leftover of a killed writer,
// from under it.
const attempts = 20

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
	root, err := store.At(dir)
	if err != nil {
		return nil, err
	}
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
		return nil, fmt.Errorf("%q %w: %s is a folder: put back a copy of the file, or choose another --out",
			dir, ErrForeign, descriptionFile)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the dataset %q: %w", dir, err)
	}
	desc, err := decodeDescription(data)
	if err != nil {
		return nil, fmt.Errorf("%q %w: %v", dir, ErrForeign, err)
	}
	if _, err := FormatOf(desc.Format); err != nil {
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
		return nil, fmt.Errorf("it has version %d, this kvsframes knows %d: use the one that wrote it, or choose another --out",
			has.Version, version)
	}
	return nil, fmt.Errorf("%s cannot be read: %w: put back a copy of it, or choose another --out", descriptionFile, err)
}

// opened is Open, with the dataset's format and the store that it lies in.
func opened(ctx context.Context, dir string) (*framepb.Dataset, Format, store.Store, error) {
	desc, err := Open(ctx, dir)
	if err != nil {
		return nil, nil, nil, err
	}
	format, err := FormatOf(desc.Format)
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
		problem := checkEmpty(ctx, dir, descriptionFile, ErrNoDataset, "--out")
		if problem == nil {
			return want.describe(), nil
		}
		if desc, err = Open(ctx, dir); errors.Is(err, ErrNoDataset) { // or has another process just made it?
			return nil, problem
		}
	}
	if err != nil {
		return nil, err
	}
	return desc, want.match(dir, desc)
}

// checkEmpty refuses a place that has something in it, or cannot have. The error
// says what the place is not, and what to name another one with. description is the
// first file that will be in it.
func checkEmpty(ctx context.Context, dir, description string, isNot error, name string) error {
	root, err := store.At(dir)
	if err != nil {
		return err
	}
	bucket, ok := root.(store.Bucket)
	if !ok {
		return checkFolder(string(root.(store.Folder)), description, isNot, name)
	}
	empty, err := bucket.Empty(ctx)
	if err == nil && !empty {
		err = fmt.Errorf("%q is not empty and %w: choose another %s", dir, isNot, name)
	}
	return err
}

// checkFolder refuses what a dataset cannot be created in. A folder with nothing
// but a description that is being written is one that another process is creating a
// dataset in. Somebody's own tmp is not: what is in tmp is removed in time.
func checkFolder(dir, description string, isNot error, name string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return checkParent(dir, name)
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		return fmt.Errorf("%q is not a folder, nor can one be made there: choose another %s", dir, name)
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the folder %q: %w", dir, err)
	}
	for _, found := range names {
		if of, ok := own.FileOf(found.Name()); !ok || of != hidden(description) {
			return fmt.Errorf("%q is not empty and %w: choose another %s", dir, isNot, name)
		}
	}
	return nil
}

// hidden is what a description's temporary names are made of. They stand beside it:
// before it is there, no folder tmp is the dataset's.
func hidden(description string) string { return "." + description }

func checkParent(dir, name string) error {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%q cannot be made: %q is not a folder: choose another %s", dir, parent, name)
		}
		if err == nil || parent == filepath.Dir(parent) {
			return nil
		}
	}
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
	if bucket, ok := root.(store.Bucket); ok {
		if err := bucket.Make(ctx, descriptionFile, data); err != nil {
			return nil, err
		}
		return Check(ctx, dir, want) // another process may have been first
	}
	folder := string(root.(store.Folder))
	if err := describeFolder(folder, descriptionFile, data); err != nil {
		return nil, err
	}
	if err := checkOwnFolders(folder); err != nil {
		return nil, err
	}
	if err := Sweep(dir); err != nil {
		return nil, fmt.Errorf("opening the dataset %q: %w", dir, err)
	}
	return Check(ctx, dir, want)
}

// describeFolder makes a folder, and a description in it where there is none.
func describeFolder(dir, name string, data []byte) error {
	made := missing(dir)
	if err := publish(dir, name, data); err != nil {
		for _, path := range made {
			os.Remove(path)
		}
		return fmt.Errorf("the folder %q cannot be written: %w", dir, err)
	}
	return nil
}

// ownFolders are the folders of a dataset that nothing else belongs in.
var ownFolders = []string{"tmp", "shards", "ledger", "requests"}

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
	if !ok || !exists(filepath.Join(string(folder), descriptionFile)) {
		return nil
	}
	dir = string(folder)
	if err := sweepDescriptions(dir, descriptionFile); err != nil {
		return err
	}
	err = own.Sweep(filepath.Join(dir, "tmp"), func(name string, entry fs.DirEntry) bool {
		return (name == indexFile || name == cardFile) && isOld(entry)
	})
	if err != nil {
		return fmt.Errorf("sweeping tmp: %w", err)
	}
	return ledger.Open(dir).Sweep(sweepAge)
}

// sweepDescriptions removes what processes left that died, or were second, when they
// made a description. Once it is there nobody needs another: see tryPublish.
func sweepDescriptions(dir, description string) error {
	return own.Sweep(dir, func(name string, _ fs.DirEntry) bool { return name == hidden(description) })
}

func isOld(entry fs.DirEntry) bool {
	info, err := entry.Info()
	return err == nil && time.Since(info.ModTime()) > sweepAge
}

// missing lists the folders that are to be made for dir, deepest first.
func missing(dir string) []string {
	var paths []string
	for path := filepath.Clean(dir); path != filepath.Dir(path); path = filepath.Dir(path) {
		if exists(path) {
			break
		}
		paths = append(paths, path)
	}
	return paths
}

// publish makes a description, whole or not at all, where there is none. Where
// there is one, it has still proved that the folder can be written.
func publish(dir, name string, data []byte) error {
	var err error
	for range attempts {
		// A folder is said to exist also where it was removed a moment later.
		if err = tryPublish(dir, name, data); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return err
}

func tryPublish(dir, name string, data []byte) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	temp := filepath.Join(dir, own.TempName(hidden(name)))
	defer os.Remove(temp)
	if err := os.WriteFile(temp, data, 0o666); err != nil {
		return err
	}
	target := filepath.Join(dir, name)
	err := os.Link(temp, target) // unlike a rename, it never replaces another process's
	switch {
	case err == nil, exists(target):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.Rename(temp, target) // a file system without links
}
