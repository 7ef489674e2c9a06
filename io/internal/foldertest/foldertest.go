// Package foldertest puts into folders what is not ours, for tests.
package foldertest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/store"
)

// MakeFolder makes a folder in dir.
func MakeFolder(t testing.TB, dir, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, name), 0o777); err != nil {
		t.Fatal(err)
	}
}

// Somebodys makes a folder of files that are nobody's but their owner's, all long
// unchanged, some with names that are near to ours.
func Somebodys(t testing.TB, dir string) {
	t.Helper()
	long := time.Now().Add(-1000 * time.Hour)
	for _, name := range []string{
		"notes", "photos/cat.jpg", "dataset.json.bak", "README.md.orig", "index.parquet.1", "pack.json.x",
		"train-000000.tar.part",
		disk.TempName("budget"), disk.TempName(shardtest.Door.ID() + ".2026"),
	} {
		Stray(t, dir, name)
		if err := os.Chtimes(filepath.Join(dir, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(dir, "photos"), long, long); err != nil {
		t.Fatal(err)
	}
}

// LinkAway puts a link to a folder elsewhere in a folder's place, and returns it.
func LinkAway(t testing.TB, dir, name string) (elsewhere string) {
	t.Helper()
	elsewhere, path := filepath.Join(t.TempDir(), "elsewhere"), filepath.Join(dir, name)
	if !disk.Exists(path) {
		MakeFolder(t, dir, name)
	}
	if err := errors.Join(os.Rename(path, elsewhere), os.Symlink(elsewhere, path)); err != nil {
		t.Fatal(err)
	}
	return elsewhere
}

func Stray(t testing.TB, dir, name string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("stray"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Leftovers lists what is in tmp.
func Leftovers(t testing.TB, dir string) []string {
	t.Helper()
	left, err := store.Folder(dir).Under(context.Background(), "tmp")
	if err != nil {
		t.Error(err)
	}
	return left
}

// Overwrite makes a file in a folder hold data.
func Overwrite(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// Flip changes a bit in the middle of a file.
func Flip(t testing.TB, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	FlipAt(t, path, info.Size()/2)
}

// FlipAt changes a bit of the byte at offset in a file.
func FlipAt(t testing.TB, path string, offset int64) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[offset] ^= 1
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}
