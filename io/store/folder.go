package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/kvsframes/kvsframes/io/internal/disk"
)

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
		return nil, TooLarge(path, file.size, limit)
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
		if disk.IsFolder(f.path(folder), entry) {
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
		return nil, disk.OrNone(err)
	}
	defer file.Close()
	entries, err := file.ReadDir(-1)
	return entries, disk.OrNone(err) // removed since it was opened
}

// Under is as [Store] says.
func (f Folder) Under(ctx context.Context, path string) ([]string, error) {
	info, err := os.Stat(f.path(path))
	if f.leadsNowhere(path, err) {
		return nil, nil
	}
	if err != nil {
		return nil, disk.OrNone(err)
	}
	if !info.IsDir() {
		return []string{""}, nil
	}
	files, folders, err := f.List(ctx, path)
	return append(files, folders...), err
}

// Sizes is as [Store] says.
func (f Folder) Sizes(ctx context.Context, folder string) (map[string]int64, error) {
	sizes := make(map[string]int64)
	return sizes, f.addSizes(ctx, sizes, folder, "")
}

func (f Folder) addSizes(ctx context.Context, sizes map[string]int64, root, below string) error {
	files, folders, err := f.List(ctx, pathpkg.Join(root, below))
	if err != nil {
		return err
	}
	for _, name := range files {
		name = pathpkg.Join(below, name)
		info, err := os.Stat(f.path(pathpkg.Join(root, name)))
		switch {
		case err == nil && info.Mode().IsRegular():
			sizes[name] = info.Size()
		case err == nil || f.leadsNowhere(pathpkg.Join(root, name), err):
			sizes[name] = -1
		case !errors.Is(err, fs.ErrNotExist): // else it was removed since it was listed
			return err
		}
	}
	for _, name := range folders {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.addSizes(ctx, sizes, root, pathpkg.Join(below, name)); err != nil {
			return err
		}
	}
	return nil
}

// Remove is as [Store] says.
func (f Folder) Remove(_ context.Context, path string) error {
	// Most often there is nothing, and unlike a removal, a look locks no folder.
	if _, err := os.Lstat(f.path(path)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return disk.OrNone(disk.RemoveOwn(string(f), path))
}

func (f Folder) path(path string) string { return filepath.Join(string(f), filepath.FromSlash(path)) }

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
