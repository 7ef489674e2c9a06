package pack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kvsframes/kvsframes/io/internal/foldertest"
)

// TestPackBesideAnother: a pack that another one of the same set overtakes, at
// whatever step, ends well, and so does the other.
func TestPackBesideAnother(t *testing.T) {
	t.Parallel()
	dir := archive(t, "webdataset")
	for _, format := range []string{"webdataset", "files"} {
		plan := planned(t, dir, Options{Format: format, SamplesPerFile: 6})
		undisturbed := t.TempDir()
		if err := packByHand(plan, dir, undisturbed, nil); err != nil {
			t.Fatal(err)
		}
		want := tree(t, undisturbed)
		for at, steps := 0, 1; at < steps; at++ {
			place := filepath.Join(t.TempDir(), "set")
			var count atomic.Int64 // files are written side by side
			err := packByHand(plan, dir, place, func(string) error {
				if count.Add(1)-1 == int64(at) {
					return packByHand(plan, dir, place, nil)
				}
				return nil
			})
			if err != nil {
				t.Errorf("%s, step %d: %v", format, at, err)
			}
			steps = max(steps, int(count.Load()))
			equalTrees(t, tree(t, place), want, fmt.Sprintf("%s, step %d", format, at))
		}
	}
}

// TestManyPacks: many packs of the same set at once end well.
func TestManyPacks(t *testing.T) {
	t.Parallel()
	dir := archive(t, "webdataset")
	for _, format := range []string{"webdataset", "files"} {
		plan := planned(t, dir, Options{Format: format, SamplesPerFile: 3})
		place := filepath.Join(t.TempDir(), "set")
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := packByHand(plan, dir, place, nil); err != nil {
					t.Errorf("%s: %v", format, err)
				}
			})
		}
		all.Wait()
		if left := foldertest.Leftovers(t, place); len(left) > 0 {
			t.Errorf("%s: left is %v", format, left)
		}
	}
}

// TestPackLeavesOthers: nothing is packed where somebody has a tmp, and what
// somebody keeps in a set stays.
func TestPackLeavesOthers(t *testing.T) {
	t.Parallel()
	dir := archive(t, "webdataset")
	plan := planned(t, dir, Options{Format: "files", SamplesPerFile: 6})
	for _, prepare := range []func(place string){
		func(place string) { foldertest.Somebodys(t, filepath.Join(place, "tmp")) },
		func(place string) { foldertest.MakeFolder(t, place, "tmp") },
	} {
		place := t.TempDir()
		prepare(place)
		want := tree(t, place)
		if err := packByHand(plan, dir, place, nil); !errors.Is(err, ErrNoSet) {
			t.Errorf("a folder with tmp alone: %v", err)
		}
		equalTrees(t, tree(t, place), want, "tmp alone")
	}

	place := t.TempDir()
	if err := packByHand(plan, dir, place, nil); err != nil {
		t.Fatal(err)
	}
	foldertest.Somebodys(t, filepath.Join(place, "tmp"))
	want := tree(t, place)
	files, err := filepath.Glob(filepath.Join(place, "train-000001", "*"))
	if err != nil || len(files) != 6 {
		t.Fatal(files, err)
	}
	if err := os.Remove(files[3]); err != nil {
		t.Fatal(err)
	}
	foldertest.Stray(t, place, "train-000001/cat.jpg")
	damaged := tree(t, place)
	if err := packByHand(plan, dir, place, nil); err == nil ||
		!strings.Contains(err.Error(), "train-000001/cat.jpg is not kvsframes' own") {
		t.Errorf("somebody's file in a folder that is to be replaced: %v", err)
	}
	equalTrees(t, tree(t, place), damaged, "refused")
	if err := os.Remove(filepath.Join(place, "train-000001", "cat.jpg")); err != nil {
		t.Fatal(err)
	}
	foldertest.Stray(t, place, "train-000001/"+filepath.Base(files[3])+"/cat.jpg")
	if err := packByHand(plan, dir, place, nil); err == nil ||
		!strings.Contains(err.Error(), filepath.Base(files[3])+" is not kvsframes' own") {
		t.Errorf("somebody's folder by the name of a picture: %v", err)
	}
	if err := os.RemoveAll(files[3]); err != nil {
		t.Fatal(err)
	}
	if err := packByHand(plan, dir, place, nil); err != nil {
		t.Fatal(err)
	}
	equalTrees(t, tree(t, place), want, "packed again")

	if err := os.Remove(files[3]); err != nil {
		t.Fatal(err)
	}
	elsewhere := foldertest.LinkAway(t, place, "tmp")
	want = tree(t, elsewhere)
	if err := packByHand(plan, dir, place, nil); err == nil || !strings.Contains(err.Error(), "is a link") {
		t.Errorf("tmp elsewhere: %v", err)
	}
	equalTrees(t, tree(t, elsewhere), want, "tmp elsewhere")
}
