package disk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Which files in a folder are kvsframes' own: nothing is removed that has another name, and
// nothing is removed or replaced that is behind a link.

// Folders are those of a dataset that nothing else belongs in.
var Folders = []string{"tmp", "shards", "ledger", "sealed", "index", "requests"}

// oldSuffix marks what is about to be removed.
const oldSuffix = ".old"

// TempName returns a new name for what is being written of a file.
func TempName(name string) string { return name + "." + rand.Text() }

// FileOf returns the name that TempName made a temporary one of. It reports whether
// that is what it did.
func FileOf(temp string) (name string, ok bool) {
	temp = strings.TrimSuffix(temp, oldSuffix)
	dot := strings.LastIndexByte(temp, '.')
	if dot <= 0 {
		return "", false
	}
	random := temp[dot+1:]
	return temp[:dot], len(random) >= 26 && strings.Trim(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// Sweep removes from a folder the files and folders with names of TempName's that
// unwanted reports are of no use any more. unwanted gets the name that the temporary
// one was made of. Sweep does nothing where folder is not a folder or is a link.
func Sweep(folder string, unwanted func(name string, entry fs.DirEntry) bool) error {
	entries, err := list(folder)
	if err != nil {
		return err
	}
	var root *os.Root
	for _, entry := range entries {
		if name, ok := FileOf(entry.Name()); !ok || !unwanted(name, entry) {
			continue
		}
		if root == nil {
			if root, err = open(folder); root == nil {
				return err
			}
			defer root.Close()
		}
		takeAway(root, entry.Name())
	}
	return nil
}

// takeAway removes a file or folder as one step to whoever writes in it.
// Leftovers are not worth an error: the next writer tries again.
func takeAway(root *os.Root, name string) {
	path := filepath.Join(root.Name(), name)
	if !strings.HasSuffix(name, oldSuffix) {
		rename := Change{Kind: Renaming, Path: path, To: path + oldSuffix}
		if Do(rename, func() error { return root.Rename(name, name+oldSuffix) }) == nil {
			name, path = name+oldSuffix, path+oldSuffix
		}
	}
	Do(Change{Kind: Removal, Path: path}, func() error { return root.RemoveAll(name) })
}

// list is [os.ReadDir] without its order, and of nothing where there is no folder.
func list(folder string) ([]fs.DirEntry, error) {
	if info, err := os.Lstat(folder); err != nil || !info.IsDir() {
		return nil, OrNone(err)
	}
	file, err := os.Open(folder)
	if err != nil {
		return nil, OrNone(err)
	}
	defer file.Close()
	entries, err := file.ReadDir(-1)
	return entries, OrNone(err) // removed since it was opened
}

// open opens a folder to remove things in it. It returns nil where there is no
// folder, also where there is a link to one.
func open(folder string) (*os.Root, error) {
	there, err := os.Lstat(folder)
	if err != nil || !there.IsDir() {
		return nil, OrNone(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, OrNone(err)
	}
	opened, err := root.Stat(".")
	if err != nil || !os.SameFile(there, opened) { // a link took its place
		root.Close()
		return nil, err
	}
	return root, nil
}

// RemoveOwn removes a file below dir, by a path with forward slashes, but none behind a
// link.
func RemoveOwn(dir, path string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := checkParents(dir, path, root.Lstat); err != nil {
		return err
	}
	path = filepath.FromSlash(path)
	removal := Change{Kind: Removal, Path: filepath.Join(dir, path)}
	return Do(removal, func() error { return root.Remove(path) })
}

// CheckParents refuses a path below dir, with forward slashes, that is behind a
// link. dir itself may be a link, and a path that does not exist is accepted.
func CheckParents(dir, path string) error {
	return checkParents(dir, path, func(name string) (fs.FileInfo, error) { return os.Lstat(filepath.Join(dir, name)) })
}

func checkParents(dir, below string, lstat func(name string) (fs.FileInfo, error)) error {
	for i, c := range below {
		if c != '/' {
			continue
		}
		parent := filepath.FromSlash(below[:i])
		info, err := lstat(parent)
		if err != nil {
			return OrNone(err)
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return fmt.Errorf("%s is behind a link, and kvsframes changes nothing there: make %q a folder",
				below, filepath.Join(dir, parent))
		}
	}
	return nil
}

// CheckFolder refuses what is neither nothing nor a folder. A link to a folder is
// none.
func CheckFolder(folder string) error {
	info, err := os.Lstat(folder)
	switch {
	case err != nil:
		return OrNone(err)
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%q is a link: kvsframes removes files there, and nothing behind links: make it a folder", folder)
	case !info.IsDir():
		return &fs.PathError{Op: "open", Path: folder, Err: syscall.ENOTDIR}
	}
	return nil
}

// CheckMembers refuses a folder that holds anything but files whose names are ours, and
// returns how many it holds. The error names the folder as shown says.
func CheckMembers(folder, shown string, isOurs func(name string) bool) (files int, err error) {
	entries, err := list(folder)
	for _, entry := range entries {
		if IsFolder(folder, entry) || !isOurs(entry.Name()) {
			return 0, fmt.Errorf("%s/%s is not kvsframes' own, and stands in its way: move it to another place", shown,
				entry.Name())
		}
	}
	return len(entries), err
}

// IsFolder reports whether an entry of a folder is a folder, or a link to one.
func IsFolder(folder string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.IsDir()
	}
	info, err := os.Stat(filepath.Join(folder, entry.Name()))
	return err == nil && info.IsDir()
}

// OrNone returns err, or nil where it says that something does not exist.
func OrNone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Exists reports whether there is something at a path, be it a link to nothing.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
