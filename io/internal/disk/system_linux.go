package disk

import (
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// syncing are the file systems that syncfs(2) brings to the disk whole. Of others that is not
// known, and a FUSE server does not see the call.
var syncing = []int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC}

// groups has a *group a device.
var groups sync.Map

// groupOf returns the group that a folder's file system is flushed in, or nil where it cannot
// be flushed as a whole.
func groupOf(folder *os.File) *group {
	var system unix.Statfs_t
	if unix.Fstatfs(int(folder.Fd()), &system) != nil || !slices.Contains(syncing, int64(system.Type)) {
		return nil
	}
	info, err := folder.Stat()
	if err != nil {
		return nil
	}
	g, _ := groups.LoadOrStore(uint64(info.Sys().(*syscall.Stat_t).Dev), new(group))
	return g.(*group)
}

// flushSystem flushes all that is on the file system of a folder.
func flushSystem(folder *os.File) error {
	return os.NewSyscallError("syncfs", unix.Syncfs(int(folder.Fd())))
}

// startWriting starts to write the content of a file to the disk. What follows tells of errors.
func startWriting(file *os.File) error {
	unix.SyncFileRange(int(file.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
	return nil
}

// finishWriting waits until the content of a file is written, and returns what went wrong. It
// does not wait for what makes the content findable.
func finishWriting(file *os.File) error {
	return os.NewSyscallError("sync_file_range", unix.SyncFileRange(int(file.Fd()), 0, 0,
		unix.SYNC_FILE_RANGE_WAIT_BEFORE|unix.SYNC_FILE_RANGE_WRITE|unix.SYNC_FILE_RANGE_WAIT_AFTER))
}
