package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/kvsframes/kvsframes/io/internal/disk"
)

// MakeFile makes a file in the root of a store hold data where there is none, and the
// folder with it. Where there is one, it stays, and that is no error; it is still proved
// that the store can be written. In a folder the file is on the disk then. Where MakeFile
// fails, it leaves nothing behind.
func MakeFile(ctx context.Context, root Store, name string, data []byte) error {
	if bucket, ok := root.(Bucket); ok {
		return bucket.Make(ctx, name, data)
	}
	folder := root.(Folder)
	undo, _ := MakeFolder(string(folder)) // makeFile tries again
	if err := folder.makeFile(name, data); err != nil {
		undo()
		return fmt.Errorf("the folder %q cannot be written: %w", string(folder), err)
	}
	return nil
}

// MakeFolder makes a folder of the local file system, and those that it is in. undo removes
// what was made, as long as it is empty; where there is an error, nothing is left of it.
func MakeFolder(name string) (undo func(), err error) {
	var made []string // deepest first
	for path := filepath.Clean(name); path != filepath.Dir(path) && !disk.Exists(path); path = filepath.Dir(path) {
		made = append(made, path)
	}
	undo = func() {
		for _, path := range made {
			disk.Remove(path)
		}
	}
	err = disk.MkdirAll(name)
	if err == nil && len(made) > 0 {
		err = disk.FlushNames(filepath.Dir(made[len(made)-1]), made[0])
	}
	if err != nil {
		undo()
	}
	return undo, err
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
	if err := disk.MkdirAll(string(f)); err != nil {
		return err
	}
	temp, target := f.path(disk.TempName(hidden(name))), f.path(name)
	defer disk.Remove(temp)
	if err := disk.Write(temp, data); err != nil {
		return err
	}
	err := disk.Link(temp, target) // unlike a rename, it never replaces another process's
	if err != nil && !disk.Exists(target) {
		if errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := disk.Rename(temp, target); err != nil { // a file system without links
			return err
		}
	}
	return disk.FlushNames(string(f), target)
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
	return disk.Sweep(string(folder), func(of string, _ fs.DirEntry) bool { return of == hidden(name) })
}

// TakenError says that a place has something in it, or cannot have.
type TakenError struct {
	Place   string
	problem string
	isNot   error // what the place is not, though it has something in it
}

func (e *TakenError) Error() string {
	text := fmt.Sprintf("%q %s", e.Place, e.problem)
	if e.isNot != nil {
		text += " and " + e.isNot.Error()
	}
	return text
}

// Unwrap returns the isNot of CheckEmpty where the place has something in it.
func (e *TakenError) Unwrap() error { return e.isNot }

// CheckEmpty returns a *[TakenError] where MakeFile could not make a file the first one in
// a place, or another error where the place cannot be read. Where the place has something
// in it, the error also satisfies isNot, which says what the place is not. A folder with nothing in it
// but that file while it is being made is one that another process makes it in. Somebody's
// own tmp is not: what is in tmp is removed in time.
func CheckEmpty(ctx context.Context, place, name string, isNot error) error {
	root, err := At(place)
	if err != nil {
		return err
	}
	bucket, ok := root.(Bucket)
	if !ok {
		return checkFolder(string(root.(Folder)), place, name, isNot)
	}
	empty, err := bucket.Empty(ctx)
	if err == nil && !empty {
		err = &TakenError{place, "is not empty", isNot}
	}
	return err
}

func checkFolder(dir, place, name string, isNot error) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return checkParent(dir, place)
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		return &TakenError{place, "is not a folder, nor can one be made there", nil}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the folder %q: %w", place, err)
	}
	for _, entry := range entries {
		if of, ok := disk.FileOf(entry.Name()); !ok || of != hidden(name) {
			return &TakenError{place, "is not empty", isNot}
		}
	}
	return nil
}

func checkParent(dir, place string) error {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err == nil && !info.IsDir() {
			return &TakenError{place, fmt.Sprintf("cannot be made: %q is not a folder", parent), nil}
		}
		if err == nil || parent == filepath.Dir(parent) {
			return nil
		}
	}
}
