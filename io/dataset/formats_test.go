package dataset

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kvsframes/kvsframes/io/internal/container"
)

// TestVerifyFormats verifies each format from a folder, damaged as a whole.
func TestVerifyFormats(t *testing.T) {
	for _, name := range []string{"parquet", "tfrecord", "webdataset"} {
		t.Run(name, func(t *testing.T) {
			dir := createIn(t, name)
			write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "nn"), shardOf(door, 6, "ff"))
			path := filepath.Join(dir, container.All[name].Path(shardOf(door, 0, "fnfd").Span))
			if found, _ := filepath.Glob(filepath.Dir(path) + "/*"); len(found) != 2 {
				t.Errorf("there are %v: a shard without frames has no file", found)
			}
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, test := range []struct {
				name             string
				spoil            func()
				missing, corrupt int64
			}{
				{"whole", func() {}, 0, 0},
				{"no file", func() { os.Remove(path) }, 2, 0},
				{"a folder", func() { os.Remove(path); os.Mkdir(path, 0o777) }, 0, 2},
				{"an empty file", func() { os.Truncate(path, 0) }, 2, 0},
				{"cut short", func() { os.Truncate(path, 10) }, 2, 0},
				{"a longer file", func() { os.WriteFile(path, append(slices.Clone(whole), 0), 0o666) }, 0, 1},
			} {
				test.spoil()
				if r := verify(t, dir); r.Missing != test.missing || r.Corrupt != test.corrupt ||
					r.Complete != (test.name == "whole") {
					t.Errorf("%s: %+v", test.name, r)
				}
				os.RemoveAll(path)
				if err := os.WriteFile(path, whole, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
