package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
)

// TestGroup: a flush serves who came before it began, and nobody who came later.
func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g group
		var began int
		failed, end := errors.New("failed"), make(chan error)
		flush := func() error {
			began++
			return <-end
		}
		var all sync.WaitGroup
		served := make(map[int]error) // by who waits
		var mu sync.Mutex
		come := func(first, last int) {
			for who := first; who <= last; who++ {
				all.Go(func() {
					err := g.do(flush)
					mu.Lock()
					defer mu.Unlock()
					served[who] = err
				})
				synctest.Wait()
			}
		}
		step := func(what string, wantBegan, wantServed int) {
			t.Helper()
			synctest.Wait()
			if began != wantBegan || len(served) != wantServed {
				t.Fatalf("%s: %d flushes began and %d are served, want %d and %d", what, began, len(served), wantBegan, wantServed)
			}
		}
		come(1, 1)
		step("one came", 1, 0)
		come(2, 4)
		step("three came while it runs", 1, 0)
		end <- nil
		step("it ended", 2, 1)
		come(5, 6)
		end <- failed
		step("the second ended", 3, 4)
		end <- nil
		step("the third ended", 3, 6)
		come(7, 7)
		end <- nil
		step("one came later", 4, 7)
		all.Wait()
		for who, err := range served {
			if want := who >= 2 && who <= 4; errors.Is(err, failed) != want {
				t.Errorf("%d got %v", who, err)
			}
		}
	})
}

// TestFlushTree: the watch sees every file of a folder flushed, and its names.
func TestFlushTree(t *testing.T) {
	defer func() { Watch = nil }()
	for _, files := range []int{0, 1, few, few + 1, 3 * flushers} {
		dir := t.TempDir()
		for i := range files {
			if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), []byte("data"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		var mu sync.Mutex
		flushed := make(map[string]int)
		Watch = func(change Change, do func() error) error {
			mu.Lock()
			flushed[change.Path]++
			together := change.Kind == TreeFlush
			mu.Unlock()
			if together {
				for i := range files {
					flushed[filepath.Join(dir, strconv.Itoa(i))]++
				}
			}
			return do()
		}
		if err := FlushTree(dir); err != nil {
			t.Errorf("%d files: %v", files, err)
		}
		Watch = nil
		if len(flushed) != files+1 || flushed[dir] != 1 {
			t.Errorf("of %d files and their folder %d were flushed, the folder %d times", files, len(flushed), flushed[dir])
		}
	}
}

// TestFlushSystemFails: what cannot be flushed is an error.
func TestFlushSystemFails(t *testing.T) {
	folder, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	folder.Close()
	if err := flushTogether(new(group), folder, nil); err == nil {
		t.Error("a folder that is closed was flushed")
	}
}
