package dataset

import (
	"context"
	"os"
	"path"
	"path/filepath"

	"github.com/kvsframes/kvsframes/io/frame"
)

// InTheWayError says that there is a folder where a file of the dataset belongs. It is never
// removed: what is in it is somebody's.
type InTheWayError struct {
	Path string // in the dataset
}

func (e *InTheWayError) Error() string {
	return e.Path + " is a folder, and a file of the dataset belongs there: move it away, then run the same command again"
}

// checkWay returns an *InTheWayError where there is a folder at the path of a file.
func (d *Dataset) checkWay(path string) error {
	if d.isInTheWay(path) {
		return &InTheWayError{path}
	}
	return nil
}

// isInTheWay reports whether a folder is at a path where a file of the dataset belongs. In a bucket there
// are no folders.
func (d *Dataset) isInTheWay(path string) bool {
	if d.folder == "" {
		return false
	}
	info, err := os.Lstat(filepath.Join(d.folder, filepath.FromSlash(path)))
	return err == nil && info.IsDir()
}

// checkWays looks for folders in the way of the catalog, and of the index of some series.
func (d *Dataset) checkWays(ctx context.Context, spans []frame.Span) error {
	if d.folder == "" {
		return nil
	}
	if err := d.checkWay(catalogFile); err != nil {
		return err
	}
	seen := make(map[frame.Series]bool)
	for _, span := range spans {
		if seen[span.Series] {
			continue
		}
		seen[span.Series] = true
		folder := path.Join("index", span.Series.ID())
		_, folders, err := d.store.List(ctx, folder)
		if err != nil {
			return err
		}
		if len(folders) > 0 {
			return &InTheWayError{path.Join(folder, folders[0])}
		}
	}
	return nil
}
