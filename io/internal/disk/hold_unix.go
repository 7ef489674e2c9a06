//go:build unix && !aix && !solaris

package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const (
	// holdTries bounds how often Hold begins again because another process made or removed the file.
	holdTries = 100
	// holdLimit is the longest content of a file that is held, in bytes.
	holdLimit = 4096
)

// Hold makes a file with some content, and its folder where there is none, and holds it until release
// is called, which removes it, or the process ends. Where another one holds it, release is nil, and
// held is what its file says. What a process that has ended left is removed. Where the file
// system cannot lock files, or the file cannot be made, nothing is held, and release does nothing.
func Hold(path string, content []byte) (release func(), held []byte) {
	for range holdTries {
		file, made, err := makeOrOpen(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it, or its folder, was removed
		}
		if err != nil {
			break
		}
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == syscall.EWOULDBLOCK && !made:
			defer file.Close()
			held, _ = io.ReadAll(io.LimitReader(file, holdLimit))
			return nil, held
		case err == nil && made && isAt(file, path):
			if _, err = file.Write(content); err == nil {
				return func() {
					Remove(path)
					file.Close() // which unlocks
				}, nil
			}
		}
		if (err == nil || made && err != syscall.EWOULDBLOCK) && isAt(file, path) {
			Remove(path) // nobody holds it, or nobody can
		}
		file.Close()
		if err != nil && err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			break
		}
	}
	return func() {}, nil
}

// makeOrOpen creates a file, or opens the one that is there.
func makeOrOpen(path string) (file *os.File, made bool, err error) {
	folder := filepath.Dir(path)
	if err := errors.Join(CheckFolder(folder), MkdirAll(folder)); err != nil {
		return nil, false, err
	}
	if file, err = Create(path); !errors.Is(err, fs.ErrExist) {
		return file, err == nil, err
	}
	const flags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	file, err = os.OpenFile(path, os.O_RDWR|flags, 0)
	if errors.Is(err, fs.ErrPermission) { // another user's: only network file systems ask for more to lock it
		file, err = os.OpenFile(path, os.O_RDONLY|flags, 0)
	}
	return file, false, err
}

// isAt reports whether a path still is that of a file that was opened.
func isAt(file *os.File, path string) bool {
	opened, err1 := file.Stat()
	there, err2 := os.Lstat(path)
	return errors.Join(err1, err2) == nil && there.Mode().IsRegular() && os.SameFile(opened, there)
}
