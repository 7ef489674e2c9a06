package pack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/internal/container"
)

// TestPackKilledAtEachStep: whatever was done when a process was killed, the next
// one does the rest, and the set is as if nothing had happened.
func TestPackKilledAtEachStep(t *testing.T) {
	t.Parallel()
	dir := archive(t, "webdataset")
	for _, format := range []string{"webdataset", "files"} {
		for _, name := range []string{"folder", "mem"} {
			t.Run(format+" in "+name, func(t *testing.T) {
				plan := planned(t, dir, Options{Format: format, SamplesPerFile: 6, ShuffleSeed: new(int64(5))})
				undisturbed := places[name](t)
				if err := packByHand(plan, dir, undisturbed, nil); err != nil {
					t.Fatal(err)
				}
				want := filesAt(t, undisturbed)
				steps := 1
				for at := 0; at < steps; at++ {
					place, count := places[name](t), 0
					var mu sync.Mutex
					err := packByHand(plan, dir, place, func(string) error {
						mu.Lock()
						defer mu.Unlock()
						if count++; count-1 < at {
							return nil
						}
						return syscall.ENOSPC
					})
					if !errors.Is(err, syscall.ENOSPC) {
						break
					}
					steps = max(steps, count+1)
					for file, data := range filesAt(t, place) {
						if file != setFile && data != want[file] && !strings.Contains(file, "/") {
							t.Errorf("step %d: %s is not whole", at, file)
						}
					}
					if err := packByHand(plan, dir, place, nil); err != nil {
						t.Fatalf("step %d: %v", at, err)
					}
					equalTrees(t, filesAt(t, place), want, fmt.Sprint("step ", at))
				}
				if steps < 8 {
					t.Errorf("only %d steps were tried", steps)
				}
			})
		}
	}
}

// What is whole is not written again; what is not, is.
func TestPackGoesOn(t *testing.T) {
	dir := archive(t, "webdataset")
	for _, format := range dataset.Formats() {
		place := filepath.Join(t.TempDir(), "set")
		plan := planned(t, dir, Options{Format: format, SamplesPerFile: 6})
		if err := packByHand(plan, dir, place, nil); err != nil {
			t.Fatal(err)
		}
		want := tree(t, place)
		var begun atomic.Int64
		count := func(step string) error {
			if step == "begin" {
				begun.Add(1)
			}
			return nil
		}
		if err := packByHand(plan, dir, place, count); err != nil || begun.Load() != 0 {
			t.Errorf("%s: %d files were written again (%v)", format, begun.Load(), err)
		}
		second := filepath.Join(place, "train-000001"+extensionOf(container.All[format]))
		if format == "files" {
			picture, err := filepath.Glob(second + "/*")
			if err != nil || len(picture) != 6 {
				t.Fatal(picture, err)
			}
			second = picture[3]
		}
		if err := os.Truncate(second, 100); err != nil {
			t.Fatal(err)
		}
		if format == "files" {
			os.Remove(second)
		}
		if err := packByHand(plan, dir, place, count); err != nil || begun.Load() != 1 {
			t.Errorf("%s: %d files were written again, want 1 (%v)", format, begun.Load(), err)
		}
		equalTrees(t, tree(t, place), want, format)
	}
}
