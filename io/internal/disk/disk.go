// Package disk changes files and folders of the local file system, knows which of them are
// kvsframes' own, and flushes them. What was
// flushed is there after a power cut; what was not is there in part, and what is younger may
// be there without what is older: files come without their content, and folders in the state
// that they were flushed in, each with any of the changes made since.
package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// Change is a change of a file or a folder, or a flush.
type Change struct {
	Kind Kind
	Path string
	To   string // of Rename and Link
}

// Kind is what a Change does.
type Kind int

// The kinds of changes, and from FileFlush on of flushes.
const (
	Creation    Kind = iota // of a file
	Making                  // of a folder, and those that it is in
	Renaming                // to a path at which there is nothing, or a file that is replaced
	Linking                 // of a file
	Removal                 // of a file, or of a folder with all that is in it
	FileFlush               // of a file's content
	FolderFlush             // of the names in a folder
	TreeFlush               // of the names in a folder, and the content of its files
)

// Watch, where set, is called for each change, and makes it by calling do. Tests make power
// cuts of what they see. Nothing may be changing while it is set.
var Watch func(change Change, do func() error) error

// Do makes a change that has no function here.
func Do(change Change, do func() error) error {
	if Watch == nil {
		return do()
	}
	return Watch(change, do)
}

// Create creates a file that does not exist.
func Create(path string) (file *os.File, err error) {
	return file, Do(Change{Kind: Creation, Path: path}, func() (err error) {
		file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		return err
	})
}

// Write creates a file that does not exist, with content that is flushed.
func Write(path string, data []byte) error {
	file, err := Create(path)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = Flush(file)
	}
	return errors.Join(err, file.Close())
}

// Mkdir makes a folder.
func Mkdir(path string) error {
	return Do(Change{Kind: Making, Path: path}, func() error { return os.Mkdir(path, 0o777) })
}

// MkdirAll makes a folder, and those that it is in.
func MkdirAll(path string) error {
	return Do(Change{Kind: Making, Path: path}, func() error { return os.MkdirAll(path, 0o777) })
}

// Rename is [os.Rename].
func Rename(from, to string) error {
	return Do(Change{Renaming, from, to}, func() error { return os.Rename(from, to) })
}

// Link is [os.Link].
func Link(from, to string) error {
	return Do(Change{Linking, from, to}, func() error { return os.Link(from, to) })
}

// Remove is [os.Remove].
func Remove(path string) error {
	return Do(Change{Kind: Removal, Path: path}, func() error { return os.Remove(path) })
}

// RemoveAll is [os.RemoveAll].
func RemoveAll(path string) error {
	return Do(Change{Kind: Removal, Path: path}, func() error { return os.RemoveAll(path) })
}

// Rmdir removes a folder that is empty, and unlike Remove leaves a link alone.
func Rmdir(path string) error {
	return Do(Change{Kind: Removal, Path: path}, func() error { return syscall.Rmdir(path) })
}

// Flush flushes the content of a file.
func Flush(file *os.File) error {
	return Do(Change{Kind: FileFlush, Path: file.Name()}, file.Sync)
}

// flushers bounds how many files of a folder are flushed at once: of those that wait at the same
// time a file system makes one commit.
const flushers = 100

// few is how many files are flushed each by itself where they could be flushed together. More
// take no longer together, even if nobody else waits for a flush.
const few = 2

// FlushTree flushes a file, or a folder of files and their names.
func FlushTree(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return Flush(file)
	}
	names, err := file.Readdirnames(-1)
	if err != nil {
		return err
	}
	// What takes longest is on its way to the disk before the first flush begins.
	if err := each(path, names, startWriting); err != nil {
		return err
	}
	if g := groupOf(file); g != nil && len(names) > few {
		return flushTogether(g, file, names)
	}
	var group errgroup.Group
	group.SetLimit(flushers)
	for _, name := range names {
		group.Go(func() error { return with(filepath.Join(path, name), Flush) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return flushFolder(file)
}

// each does something with each file of a folder.
func each(folder string, names []string, do func(*os.File) error) error {
	for _, name := range names {
		if err := with(filepath.Join(folder, name), do); err != nil {
			return err
		}
	}
	return nil
}

func with(path string, do func(*os.File) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(do(file), file.Close())
}

// FlushNames flushes a name below a folder, and those of the folders that it is in: what
// made them may have been killed before it did.
func FlushNames(root, path string) error {
	root, path = filepath.Clean(root), filepath.Clean(path)
	for path != root && path != filepath.Dir(path) {
		path = filepath.Dir(path)
		folder, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing is in it
		}
		if err != nil {
			return err
		}
		if err := errors.Join(flushFolder(folder), folder.Close()); err != nil {
			return err
		}
	}
	return nil
}

// flushFolder flushes the names in a folder, on file systems that can.
func flushFolder(folder *os.File) error {
	err := Do(Change{Kind: FolderFlush, Path: folder.Name()}, folder.Sync)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
