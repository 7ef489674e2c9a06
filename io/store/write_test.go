package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"testing"
)

// TestWriteFile: a file is written whole or not at all, and again where what is written is
// taken away, but not without end.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	folder, calls := Folder(dir), 0
	err := WriteFile(t.Context(), folder, "file", func(w io.Writer) error {
		calls++
		if calls == 1 { // another process takes it for the leftover of a killed one
			if err := os.RemoveAll(folder.path("tmp")); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, "hello")
		return err
	})
	if data, _ := os.ReadFile(folder.path("file")); err != nil || string(data) != "hello" || calls != 2 {
		t.Errorf("%q after %d calls, %v", data, calls, err)
	}
	calls = 0
	err = WriteFile(t.Context(), folder, "file", func(w io.Writer) error {
		calls++
		io.WriteString(w, "half")
		return fmt.Errorf("reading what it is made of: %w", fs.ErrNotExist)
	})
	if data, _ := os.ReadFile(folder.path("file")); !errors.Is(err, fs.ErrNotExist) || string(data) != "hello" ||
		calls > attempts {
		t.Errorf("%q after %d calls, %v", data, calls, err)
	}
	if left, err := os.ReadDir(folder.path("tmp")); err != nil || len(left) > 0 {
		t.Errorf("in tmp is left %v, %v", left, err)
	}
}
