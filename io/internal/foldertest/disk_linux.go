package foldertest

import (
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// UntilThere returns how long it takes until all that write writes to dir is there:
// on the disk, or in the page cache. Then it frees it.
func UntilThere(b *testing.B, dir string, toDisk bool, write func() error) time.Duration {
	disk, err := os.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer disk.Close()
	sync := func() error { return unix.Syncfs(int(disk.Fd())) }
	if err := sync(); err != nil { // what others wrote is not to be waited for
		b.Fatal(err)
	}

	start := time.Now()
	var written atomic.Bool
	var syncing errgroup.Group
	if toDisk {
		syncing.Go(func() error {
			for {
				last := written.Load()
				if err := sync(); err != nil || last {
					return err
				}
			}
		})
	}
	err = write()
	written.Store(true)
	err = errors.Join(err, syncing.Wait())
	took := time.Since(start)

	if err := errors.Join(err, Drain(dir), sync()); err != nil {
		b.Fatal(err)
	}
	return took
}
