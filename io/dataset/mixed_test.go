package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestMixedTransforms: no shard, and no description, of a dataset with other transforms
// passes for one of the dataset. What is mixed stays: nobody knows which of the two is right.
func TestMixedTransforms(t *testing.T) {
	t.Parallel()
	made := func(format string, transforms ...string) string {
		dir := t.TempDir()
		if _, err := Create(t.Context(), dir, Options{Format: format, Transforms: transforms}); err != nil {
			t.Fatal(err)
		}
		write(t, dir, shardOf(door, 0, "ffff"), shardOf(door, 4, "fnff"))
		return dir
	}
	for _, format := range Formats() {
		small := []string{"resize 64x64"}
		for _, test := range []struct {
			name        string
			into, other []string
			mix         func(dir, other string)
			damaged     int64
		}{
			{"a description", nil, small, func(dir, other string) { copyOver(t, dir, other, descriptionFile) }, 2},
			{"no transforms", small, nil, func(dir, other string) { copyOver(t, dir, other, descriptionFile) }, 2},
			{"a shard", small, nil, func(dir, other string) {
				span := frame.Span{Series: door, First: first, Samples: 4}
				copyOver(t, dir, other, container.All[format].Path(span))
				copyOver(t, dir, other, ledger.Entry{Span: span}.Path())
			}, 1},
		} {
			dir, other := made(format, test.into...), made(format, test.other...)
			if report := verify(t, dir); !report.Complete {
				t.Fatalf("%s, %s: %+v before", format, test.name, report)
			}
			test.mix(dir, other)
			if err := os.RemoveAll(filepath.Join(dir, "tmp")); err != nil {
				t.Fatal(err)
			}
			mixed := tree(t, dir)
			report := verify(t, dir)
			if report.Complete || report.Damaged != test.damaged || report.Missing != 0 {
				t.Errorf("%s, %s: %+v", format, test.name, report)
			}
			if said := strings.Join(report.Problems, "\n"); !strings.Contains(said, "resize 64x64") ||
				!strings.Contains(said, "repair leaves them") {
				t.Errorf("%s, %s: the problems are %s", format, test.name, said)
			}
			if repaired := repair(t, dir); repaired.Complete || repaired.Damaged != test.damaged {
				t.Errorf("%s, %s: repaired to %+v", format, test.name, repaired)
			}
			equalTrees(t, tree(t, dir), mixed, format+", "+test.name)
			seals(t, dir)
			if rows, want := len(rowsIn(t, spot{name: dir})), int(8-4*test.damaged); rows != want {
				t.Errorf("%s, %s: the index has %d rows, want %d", format, test.name, rows, want)
			}
		}
	}
}

// copyOver replaces a file or folder of a dataset by another's.
func copyOver(t *testing.T, dir, other, path string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, path)); err != nil {
		t.Fatal(err)
	}
	from := filepath.Join(other, path)
	if info, err := os.Stat(from); err == nil && info.IsDir() {
		err = os.CopyFS(filepath.Join(dir, path), os.DirFS(from))
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, path), data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}
