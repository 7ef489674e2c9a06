package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	pathpkg "path"
	"slices"
	"syscall"
)

// UnfitError says that what is at a path cannot be a file of a dataset: it is
// something else than a file, or larger than the largest. It is never read.
type UnfitError struct {
	Path    string
	Problem string
}

func (e *UnfitError) Error() string { return fmt.Sprintf("%s %s", e.Path, e.Problem) }

func tooLarge(path string, size, limit int64) error {
	return &UnfitError{path, fmt.Sprintf("has %d bytes, the largest file of its kind has %d", size, limit)}
}

// localFile is a file that ends: a regular one, or a folder, which says what it is
// when it is read.
type localFile struct {
	*os.File
	size int64
}

func (f localFile) Size() int64 { return f.size }

// open opens a file. A link that leads nowhere is not one.
func (f Folder) open(path string) (localFile, error) {
	file, err := openFile(f.path(path))
	if f.leadsNowhere(path, err) {
		return localFile{}, &UnfitError{path, "is no file, but a link to nothing"}
	}
	return file, err
}

// nowhere is why a link may lead to nothing: what it names is not there, or is the link
// itself, or is below what is no folder, or cannot have such a name.
var nowhere = []syscall.Errno{syscall.ENOENT, syscall.ELOOP, syscall.ENOTDIR, syscall.ENAMETOOLONG}

// leadsNowhere reports whether a path cannot be opened because it is a link that leads
// nowhere, or is behind one. Of the folder's own place it says nothing.
func (f Folder) leadsNowhere(path string, err error) bool {
	if !slices.ContainsFunc(nowhere, func(errno syscall.Errno) bool { return errors.Is(err, errno) }) {
		return false
	}
	for ; path != "."; path = pathpkg.Dir(path) {
		info, err := os.Lstat(f.path(path))
		if err != nil {
			continue
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return false
		}
		_, err = os.Stat(f.path(path))
		return err != nil
	}
	return false
}

// openFile opens what is a file, or a link to one.
func openFile(path string) (localFile, error) {
	file, err := openAny(path)
	if errors.Is(err, syscall.ENXIO) {
		return localFile{}, &UnfitError{path, "is no file, but a socket or a device"}
	}
	if err != nil {
		return localFile{}, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		err = &UnfitError{path, "is no file, but " + kindOf(info.Mode())}
	}
	if err != nil {
		file.Close()
		return localFile{}, err
	}
	return localFile{file, info.Size()}, nil
}

// openAny opens whatever there is at once: a pipe that nobody writes to would be
// waited for.
func openAny(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func kindOf(mode fs.FileMode) string {
	if mode&fs.ModeNamedPipe != 0 {
		return "a pipe"
	}
	return "a device"
}
