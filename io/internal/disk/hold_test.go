//go:build unix && !aix && !solaris

package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// TestHold: one holds the file, others are told what it says, and when it is let go, or was left by a
// process that has ended, the next one holds it.
func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tmp", "held")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("dead"), 0o666); err != nil { // nobody has it locked
		t.Fatal(err)
	}
	release, held := Hold(path, []byte("first"))
	if release == nil {
		t.Fatalf("what a process left keeps the next one out: %q", held)
	}
	if again, held := Hold(path, []byte("second")); again != nil || string(held) != "first" {
		t.Errorf("a second one gets %q, and holds it: %v", held, again != nil)
	}
	release()
	if Exists(path) {
		t.Error("the file stays")
	}
	if release, held = Hold(path, []byte("third")); release == nil {
		t.Fatalf("what was let go keeps the next one out: %q", held)
	}
	release()
}

// TestHoldAtOnce: of many that come and go, one at a time holds the file, though files appear and
// go under their hands.
func TestHoldAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tmp", "held")
	var holders, times atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				release, _ := Hold(path, fmt.Append(nil, i))
				if release == nil {
					continue
				}
				if n := holders.Add(1); n > 1 {
					t.Errorf("%d hold it", n)
				}
				times.Add(1)
				holders.Add(-1)
				release()
			}
		})
	}
	all.Wait()
	if times.Load() == 0 || Exists(path) {
		t.Errorf("it was held %d times; there still: %v", times.Load(), Exists(path))
	}
}

// TestHoldNothing: where no file can be made nobody is kept out, and nothing of somebody's goes.
func TestHoldNothing(t *testing.T) {
	dir := t.TempDir()
	folder, file, link := filepath.Join(dir, "folder"), filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("somebody's"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, filepath.Join(file, "below"), link} {
		release, held := Hold(path, []byte("content"))
		if release == nil {
			t.Fatalf("%s is held: %q", path, held)
		}
		release()
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "somebody's" || !Exists(folder) || !Exists(link) {
		t.Errorf("%q, %v", data, err)
	}
}
