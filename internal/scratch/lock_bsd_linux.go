//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package scratch

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// lockName is the file in a folder that its process holds a lock of. The lock ends with
// the process, however that ends.
const lockName = ".kvsframes.lock"

// claim locks a folder. It returns nil where another process has taken it away.
func claim(folder string) (release func(), err error) {
	root, err := os.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file, err := root.OpenFile(lockName, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if errors.Is(lock(file), syscall.EWOULDBLOCK) || !isThere(root, lockName, file) {
		file.Close()
		return nil, nil
	}
	// Where a file system has no locks, nobody sweeps.
	return func() { file.Close() }, nil
}

func lock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// isThere reports whether a name is still that of an open file.
func isThere(root *os.Root, name string, file *os.File) bool {
	opened, err := file.Stat()
	there, missing := root.Lstat(name)
	return err == nil && missing == nil && os.SameFile(opened, there)
}

// sweep removes the folders in dir that Make made for processes of this user that are
// gone. It follows no links. What cannot be removed is left to the next process.
func sweep(dir, prefix string) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return
	}
	defer root.Close()
	entries, _ := fs.ReadDir(root.FS(), ".")
	for _, entry := range entries {
		if isName(entry.Name(), prefix) && isOurs(root, entry.Name()) {
			sweepFolder(root, entry.Name())
		}
	}
}

// isOurs reports whether a name is that of a folder, and no link to one, of this user.
func isOurs(root *os.Root, name string) bool {
	info, err := root.Lstat(name)
	if err != nil || !info.IsDir() {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid()
}

func sweepFolder(root *os.Root, folder string) {
	name := path.Join(folder, lockName)
	if info, err := root.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return // no process has claimed it
	}
	file, err := root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if lock(file) == nil && isThere(root, name, file) {
		root.RemoveAll(folder)
	}
}
