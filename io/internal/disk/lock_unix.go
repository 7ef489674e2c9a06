//go:build unix && !aix && !solaris

package disk

import (
	"os"
	"syscall"
	"time"
)

// lockPatience is much longer than anybody holds a lock who is not stopped.
const lockPatience = 10 * time.Second

// Lock makes a folder, where there is none, and keeps other callers of Lock, in this process or in
// another one, waiting until unlock is called. It locks nothing where the file system cannot
// do that, where the folder cannot be made, or where another one holds the lock for longer than
// whoever is not stopped.
func Lock(folder string) (unlock func()) {
	file := lockable(folder)
	if file == nil {
		return func() {}
	}
	for wait := time.Millisecond; wait < lockPatience; wait *= 2 {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			break
		}
		time.Sleep(wait)
	}
	return func() { file.Close() } // which unlocks
}

func lockable(folder string) *os.File {
	if CheckFolder(folder) != nil || MkdirAll(folder) != nil {
		return nil
	}
	file, err := os.Open(folder)
	if err != nil {
		return nil
	}
	return file
}
