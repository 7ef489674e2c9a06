package foldertest

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Drain frees what files hold, but leaves them: for minutes after files were removed
// ext4 looks at the inodes of all whenever one is created, to take none of them.
func Drain(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Truncate(path, 0)
	})
}
