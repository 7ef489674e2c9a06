package dataset

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvsframes/kvsframes/io/ledger"
)

// CraftIndex makes an index of rows that passes for the dataset's.
func CraftIndex(t testing.TB, dir string, rows []Sample) {
	t.Helper()
	listing, err := ledger.Open(dir).Listing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, indexFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := newIndexWriter(file, listing)
	if err := errors.Join(w.write(rows), w.close()); err != nil {
		t.Fatal(err)
	}
}
