package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/kvsframes/kvsframes/io/internal/own"
)

// MakeFile makes a file in the root of a store hold data where there is none, and the
// folder with it. Where there is one, it stays, and that is no error; it is still proved
// that the store can be written. Where MakeFile fails, it leaves nothing behind.
func MakeFile(ctx context.Context, root Store, name string, data []byte) error {
	if bucket, ok := root.(Bucket); ok {
		return bucket.Make(ctx, name, data)
	}
	folder := root.(Folder)
	absent := folder.absent()
	if err := folder.makeFile(name, data); err != nil {
		for _, path := range absent {
			os.Remove(path)
		}
		return fmt.Errorf("the folder %q cannot be written: %w", string(folder), err)
	}
	return nil
}

// absent lists the folders that are to be made for this one, deepest first.
func (f Folder) absent() []string {
	var paths []string
	for path := f.path(""); path != filepath.Dir(path) && !own.Exists(path); path = filepath.Dir(path) {
		paths = append(paths, path)
	}
	return paths
}

func (f Folder) makeFile(name string, data []byte) error {
	var err error
	for range attempts {
		// A folder is said to exist also where it was removed a moment later.
		if err = f.tryMake(name, data); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return err
}

func (f Folder) tryMake(name string, data []byte) error {
	if err := os.MkdirAll(string(f), 0o777); err != nil {
		return err
	}
	temp, target := f.path(own.TempName(hidden(name))), f.path(name)
	defer os.Remove(temp)
	if err := os.WriteFile(temp, data, 0o666); err != nil {
		return err
	}
	err := os.Link(temp, target) // unlike a rename, it never replaces another process's
	switch {
	case err == nil, own.Exists(target):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.Rename(temp, target) // a file system without links
}

// hidden is what the temporary names of a file are made of that MakeFile makes. They stand
// beside it: before it is there, no folder tmp is ours.
func hidden(name string) string { return "." + name }

// SweepMade removes what processes left in a store that died, or were second, when they
// made a file that is there now.
func SweepMade(root Store, name string) error {
	folder, ok := root.(Folder)
	if !ok {
		return nil
	}
	return own.Sweep(string(folder), func(of string, _ fs.DirEntry) bool { return of == hidden(name) })
}

// TakenError says that a place has something in it, or cannot have.
type TakenError struct {
	Place    string
	NotEmpty bool
	problem  string
}

func (e *TakenError) Error() string { return fmt.Sprintf("%q %s", e.Place, e.problem) }

// CheckEmpty returns a *[TakenError] where MakeFile could not make a file the first one in
// a place, or another error where the place cannot be read. A folder with nothing in it
// but that file while it is being made is one that another process makes it in. Somebody's
// own tmp is not: what is in tmp is removed in time.
func CheckEmpty(ctx context.Context, place, name string) error {
	root, err := At(place)
	if err != nil {
		return err
	}
	bucket, ok := root.(Bucket)
	if !ok {
		return checkFolder(string(root.(Folder)), place, name)
	}
	empty, err := bucket.Empty(ctx)
	if err == nil && !empty {
		err = &TakenError{place, true, "is not empty"}
	}
	return err
}

func checkFolder(dir, place, name string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return checkParent(dir, place)
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		return &TakenError{place, false, "is not a folder, nor can one be made there"}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the folder %q: %w", place, err)
	}
	for _, entry := range entries {
		if of, ok := own.FileOf(entry.Name()); !ok || of != hidden(name) {
			return &TakenError{place, true, "is not empty"}
		}
	}
	return nil
}

func checkParent(dir, place string) error {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err == nil && !info.IsDir() {
			return &TakenError{place, false, fmt.Sprintf("cannot be made: %q is not a folder", parent)}
		}
		if err == nil || parent == filepath.Dir(parent) {
			return nil
		}
	}
}
