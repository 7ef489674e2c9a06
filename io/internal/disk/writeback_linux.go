package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// writeBack writes the content of a file to the disk, but not where it is there. What many
// files were given since their file system's last commit one more then makes findable. Flush
// tells of errors.
func writeBack(file *os.File) error {
	unix.SyncFileRange(int(file.Fd()), 0, 0,
		unix.SYNC_FILE_RANGE_WAIT_BEFORE|unix.SYNC_FILE_RANGE_WRITE|unix.SYNC_FILE_RANGE_WAIT_AFTER)
	return nil
}
