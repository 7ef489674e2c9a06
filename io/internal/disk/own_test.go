package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFileOf(t *testing.T) {
	for _, name := range []string{"a", "a.b", ".dataset.json", "front~door_1.20260101T000000000Z-4"} {
		temp := TempName(name)
		for _, temp := range []string{temp, temp + oldSuffix} {
			if of, ok := FileOf(temp); of != name || !ok {
				t.Errorf("FileOf(%q) = %q, %v", temp, of, ok)
			}
		}
		for _, other := range []string{
			name, strings.ToLower(temp), temp[:len(temp)-1], temp + ".bak", temp + oldSuffix + oldSuffix, temp + "1",
			strings.TrimPrefix(temp, name),
		} {
			if of, ok := FileOf(other); ok {
				t.Errorf("FileOf(%q) = %q", other, of)
			}
		}
	}
}

// TestSweep: of what TempName named, what is unwanted goes; all else stays.
func TestSweep(t *testing.T) {
	dir, elsewhere := filepath.Join(t.TempDir(), "tmp"), t.TempDir()
	mine, old, folder, link, living := TempName("x"), TempName("x")+oldSuffix, TempName("x"), TempName("x"), TempName("y")
	err := errors.Join(
		os.MkdirAll(filepath.Join(dir, folder, "sub"), 0o777), os.Symlink(elsewhere, filepath.Join(dir, link)),
		os.Symlink(elsewhere, filepath.Join(dir, folder, "link")), os.WriteFile(filepath.Join(elsewhere, "x"), nil, 0o666),
	)
	for _, name := range []string{mine, old, living, "x", "notes"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), nil, 0o666))
	}
	if err != nil {
		t.Fatal(err)
	}
	of := func(name string, _ fs.DirEntry) bool { return name == "x" }
	if err := Sweep(dir, of); err != nil {
		t.Fatal(err)
	}
	if left, want := names(t, dir), []string{"notes", "x", living}; !slices.Equal(left, want) {
		t.Errorf("left is %v, want %v", left, want)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(elsewhere, mine), nil, 0o666), os.Symlink(elsewhere, dir+"2"),
		Sweep(dir+"2", of), Sweep(dir+"3", of)); err != nil {
		t.Fatal(err)
	}
	if left := names(t, elsewhere); !slices.Equal(left, []string{"x", mine}) {
		t.Errorf("behind links is left %v", left)
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	slices.Sort(all)
	return all
}
