//go:build unix && !aix && !solaris

package disk

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// TestLock: what many do to one folder is done one after the other, and what is no folder locks
// nobody out.
func TestLock(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "index", "cam")
	var holders atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			defer Lock(folder)()
			if n := holders.Add(1); n > 1 {
				t.Errorf("%d have the lock", n)
			}
			runtime.Gosched()
			holders.Add(-1)
		})
	}
	all.Wait()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	Lock(file)()
	Lock(filepath.Join(file, "below"))()
}
