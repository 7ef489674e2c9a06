package dataset

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestFolderInTheWay: a folder where the catalog or a file of the index belongs is named, before anything is paid
// for, never taken for nothing, and never removed; when it is moved away all is as before.
func TestFolderInTheWay(t *testing.T) {
	t.Parallel()
	shard := shardOf(door, 0, "fnfd")
	for _, path := range []string{catalogFile, ledger.IndexPath(ledger.BlockOf(shard.Span, 100))} {
		dir := createIn(t, "webdataset")
		write(t, dir, shard)
		finish(t, dir)
		whole := tree(t, dir)
		way := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.Remove(way); err != nil {
			t.Fatal(err)
		}
		foldertest.Stray(t, way, "somebodys.txt")
		d := opened(t, dir)
		_, finished := d.Finish(t.Context(), FinishOptions{})
		for what, err := range map[string]error{"Begin": d.Begin(t.Context(), shard.Span), "Finish": finished} {
			var blocked *InTheWayError
			if !errors.As(err, &blocked) || blocked.Path != path || !strings.Contains(err.Error(), "move it away") {
				t.Errorf("%s: %s: %v", path, what, err)
			}
		}
		for what, report := range map[string]Report{"Verify": verify(t, dir), "Repair": repair(t, dir)} {
			if report.Complete || !slices.ContainsFunc(report.Problems, func(p string) bool {
				return strings.HasPrefix(p, path+": it is a folder: move it away")
			}) {
				t.Errorf("%s: %s: %+v", path, what, report)
			}
		}
		if _, err := os.Stat(filepath.Join(way, "somebodys.txt")); err != nil {
			t.Error(err)
		}
		if err := os.Rename(way, filepath.Join(t.TempDir(), "away")); err != nil {
			t.Fatal(err)
		}
		finish(t, dir)
		equalTrees(t, settled(t, dir), whole, path)
	}
}

// TestTruncatedSealedFile: a file of sealed receipts that was cut short after it was counted is made again where the
// index has it, and else named, and its samples are not taken for recorded. Neither loses what the index says.
func TestTruncatedSealedFile(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"folder", "mem", "s3"} {
		for _, later := range []bool{false, true} { // another shard of its block is sealed
			s := createAt(t, spots[kind], Options{Format: "webdataset"})
			write(t, s.name, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
			finish(t, s.name)
			if later {
				write(t, s.name, shardOf(door, 6, "fn"))
				finish(t, s.name)
			}
			whole := s.files(t)
			if later {
				s = createAt(t, spots[kind], Options{Format: "webdataset"})
				write(t, s.name, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
				finish(t, s.name)
			}
			var path string
			for name, data := range s.files(t) {
				if strings.HasPrefix(name, "sealed/") {
					path = name
					shorten(t, s, name, data[:len(data)/2])
				}
			}
			if later {
				write(t, s.name, shardOf(door, 6, "fn"))
			}
			contents, err := opened(t, s.name).Finish(t.Context(), FinishOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if kind == "folder" { // where the index is the same file
				if contents.Complete || contents.Missing != 6 || !slices.Equal(contents.Damaged, []string{path}) {
					t.Errorf("%s, %v: Finish = %+v, want %s to be damaged", kind, later, contents, path)
				}
				repair(t, s.name)
				contents, err = opened(t, s.name).Finish(t.Context(), FinishOptions{})
				if err != nil || len(contents.Damaged) > 0 || contents.Missing > 0 {
					t.Errorf("repaired: %+v, %v", contents, err)
				}
				continue
			}
			if !contents.Complete || len(contents.Damaged) > 0 {
				t.Errorf("%s, %v: Finish = %+v", kind, later, contents)
			}
			equalTrees(t, s.files(t), whole, kind)
		}
	}
}

// shorten makes a file shorter where it lies: under all its names.
func shorten(t *testing.T, s spot, name, data string) {
	t.Helper()
	if d := opened(t, s.name); d.folder == "" {
		s.put(t, name, data)
	} else if err := os.Truncate(filepath.Join(d.folder, filepath.FromSlash(name)), int64(len(data))); err != nil {
		t.Fatal(err)
	}
}

// TestDescriptionOfAnotherSize: a description with another number of samples a shard is refused before anything is
// done, whatever the names are of that contradict it.
func TestDescriptionOfAnotherSize(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		samples int // a shard, of the other description
		sealed  bool
	}{
		"smaller, sealed": {2, true}, "larger, sealed": {8, true}, "smaller, loose": {2, false},
	} {
		dir, other := t.TempDir(), t.TempDir()
		for place, samples := range map[string]int{dir: 4, other: test.samples} {
			if _, err := Create(t.Context(), place, Options{ShardSamples: samples}); err != nil {
				t.Fatal(err)
			}
		}
		shard := shardOf(door, 0, "ffff")
		write(t, dir, shard)
		if test.sealed {
			finish(t, dir)
		}
		data, err := os.ReadFile(filepath.Join(other, descriptionFile))
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, dir, descriptionFile, data)
		want := settled(t, dir)
		d := opened(t, dir)
		_, finished := d.Finish(t.Context(), FinishOptions{})
		for what, err := range map[string]error{"Begin": d.Begin(t.Context(), shard.Span), "Finish": finished} {
			if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "put the right dataset.json back") {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
		if report := verify(t, dir); report.Complete {
			t.Errorf("%s: %+v", name, report)
		}
		repair(t, dir)
		equalTrees(t, settled(t, dir), want, name)
	}
}

// TestRemovableWithoutBooks: pictures that no receipt knows are told of, and go.
func TestRemovableWithoutBooks(t *testing.T) {
	t.Parallel()
	dir := createIn(t, "webdataset")
	write(t, dir, shardOf(door, 0, "ffff"), shardOf(door, 4, "ff"))
	finish(t, dir)
	for _, entry := range sealedIn(t, dir) {
		if err := os.Remove(filepath.Join(dir, entry.Path())); err != nil {
			t.Fatal(err)
		}
	}
	span := frame.Span{Series: door, First: first, Samples: 6}
	removed, err := opened(t, dir).Removable(t.Context(), span)
	if err != nil || removed.Unrecorded != 2 || removed.Frames != 0 || removed.Samples != 6 {
		t.Errorf("%+v, %v", removed, err)
	}
	finish(t, dir) // what is to be run first
	removed, err = opened(t, dir).Removable(t.Context(), span)
	if err != nil || removed.Unrecorded != 0 || removed.Frames != 6 {
		t.Errorf("after Finish: %+v, %v", removed, err)
	}
}
