package store

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// TestMissingBehindLink: what is missing in a folder that is a link is missing, and no
// bad link; what may not be read behind one is not missing.
func TestMissingBehindLink(t *testing.T) {
	dir, elsewhere := Folder(t.TempDir()), t.TempDir()
	if err := errors.Join(os.Symlink(elsewhere, dir.path("ledger")),
		os.Symlink("nowhere", dir.path("shards"))); err != nil {
		t.Fatal(err)
	}
	var unfit *UnfitError
	if _, err := dir.Read(t.Context(), "ledger/a", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is a link: %v", err)
	}
	if _, err := dir.Read(t.Context(), "shards/a", 1); !errors.As(err, &unfit) {
		t.Errorf("behind a bad link: %v", err)
	}
	if names, err := dir.Under(t.Context(), "shards/a"); err != nil || len(names) > 0 {
		t.Errorf("Under = %q, %v", names, err)
	}
	if sizes, err := dir.Sizes(t.Context(), ""); err != nil || len(sizes) != 1 || sizes["shards"] != -1 {
		t.Errorf("Sizes = %v, %v", sizes, err)
	}
	if dir.leadsNowhere("shards", fs.ErrPermission) {
		t.Error("that something may not be read means that there is nothing")
	}
}
