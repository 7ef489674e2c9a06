package ledger

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kvsframes/kvsframes/io/internal/own"
)

// Store is where a dataset lies: a [Folder] or a [*Bucket]. Paths are relative
// to it, with forward slashes. What is not there is an error that satisfies
// [fs.ErrNotExist].
//
// How a file is written whole or not at all is different in each, so that is no
// part of what they have in common.
type Store interface {
	// Read returns a whole file of at most limit bytes. The error is an
	// [*UnfitError] where it has more, or is no file.
	Read(ctx context.Context, path string, limit int64) ([]byte, error)

	// Open opens a file for reading until ctx is done. The error is an
	// [*UnfitError] where it is no file.
	Open(ctx context.Context, path string) (File, error)

	// ReadRange fills data with what a file holds from an offset on. Where the file
	// ends before, the error satisfies [io.ErrUnexpectedEOF].
	ReadRange(ctx context.Context, path string, data []byte, offset int64) error

	// List returns the names in a folder, of files and of folders, both in
	// order. A folder that does not exist is empty.
	List(ctx context.Context, folder string) (files, folders []string, err error)

	// Under lists what is at a path: the names in a folder, "" for a file,
	// nothing where there is nothing.
	Under(ctx context.Context, path string) ([]string, error)

	// Remove removes a file, but never one behind a link. It is no error if there is
	// no file.
	Remove(ctx context.Context, path string) error
}

// File is a file of a Store, open for reading.
type File interface {
	io.Reader
	io.ReaderAt
	io.Closer
	Size() int64 // bytes
}

// StoreAt returns the store of that name: see the package's documentation. Two
// calls with one name return the same store. The error says what is wrong with
// the name, or with the configuration that it asks for; whether the store can be
// reached is for its methods to find out.
func StoreAt(name string) (Store, error) {
	p, err := parsePlace(name)
	if err != nil {
		return nil, err
	}
	if p.bucket == "" {
		return Folder(p.folder), nil
	}
	return openBucket(p)
}

// Folder is a folder of the local file system.
type Folder string

// Read is as [Store] says.
func (f Folder) Read(_ context.Context, path string, limit int64) ([]byte, error) {
	file, err := f.open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.size > limit {
		return nil, tooLarge(path, file.size, limit)
	}
	// One byte more shows the end; and more than that it does not grow to.
	data := make([]byte, file.size+1)
	n, err := io.ReadFull(file, data)
	switch {
	case err == nil:
		return nil, &UnfitError{path, "grew while it was read"}
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return data[:n], nil
	}
	return nil, err
}

// Open is as [Store] says.
func (f Folder) Open(_ context.Context, path string) (File, error) {
	file, err := f.open(path)
	if err != nil {
		return nil, err
	}
	return file, nil
}

// ReadRange is as [Store] says.
func (f Folder) ReadRange(_ context.Context, path string, data []byte, offset int64) error {
	file, err := openAny(f.path(path))
	if err != nil {
		return err
	}
	defer file.Close()
	n, err := file.ReadAt(data, offset)
	if n == len(data) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// List is as [Store] says.
func (f Folder) List(_ context.Context, folder string) (files, folders []string, err error) {
	entries, err := readDir(f.path(folder))
	for _, entry := range entries {
		if own.IsFolder(f.path(folder), entry) {
			folders = append(folders, entry.Name())
		} else {
			files = append(files, entry.Name())
		}
	}
	slices.Sort(files)
	slices.Sort(folders)
	return files, folders, err
}

// readDir is [os.ReadDir], without its order.
func readDir(path string) ([]fs.DirEntry, error) {
	file, err := openAny(path)
	if err != nil {
		return nil, orNone(err)
	}
	defer file.Close()
	entries, err := file.ReadDir(-1)
	return entries, orNone(err) // removed since it was opened
}

// orNone lets pass that something is not there.
func orNone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Under is as [Store] says.
func (f Folder) Under(ctx context.Context, path string) ([]string, error) {
	info, err := os.Stat(f.path(path))
	if f.leadsNowhere(path, err) {
		return nil, nil
	}
	if err != nil {
		return nil, orNone(err)
	}
	if !info.IsDir() {
		return []string{""}, nil
	}
	files, folders, err := f.List(ctx, path)
	return append(files, folders...), err
}

// Remove is as [Store] says.
func (f Folder) Remove(_ context.Context, path string) error {
	// Most often there is nothing, and unlike a removal, a look locks no folder.
	if _, err := os.Lstat(f.path(path)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return orNone(own.Remove(string(f), path))
}

func (f Folder) path(path string) string { return filepath.Join(string(f), filepath.FromSlash(path)) }

// unreachable is a store that could not be opened.
type unreachable struct{ err error }

func (u unreachable) Read(context.Context, string, int64) ([]byte, error) { return nil, u.err }
func (u unreachable) Open(context.Context, string) (File, error)          { return nil, u.err }
func (u unreachable) ReadRange(context.Context, string, []byte, int64) error {
	return u.err
}

func (u unreachable) List(context.Context, string) (files, folders []string, err error) {
	return nil, nil, u.err
}
func (u unreachable) Under(context.Context, string) ([]string, error) { return nil, u.err }
func (u unreachable) Remove(context.Context, string) error            { return u.err }
func (u unreachable) Put(context.Context, string, []byte) error       { return u.err }
