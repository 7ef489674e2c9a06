package dataset

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kvsframes/kvsframes/io/internal/own"
	"github.com/kvsframes/kvsframes/io/store"
)

// writeWhole makes a file in the root of a dataset hold what write writes, whole or
// not at all. It may call write more than once.
func writeWhole(ctx context.Context, root store.Store, name string, write func(io.Writer) error) error {
	if bucket, ok := root.(store.Bucket); ok {
		return uploadWhole(ctx, bucket, name, write)
	}
	var err error
	for range tries {
		if err = renameWhole(string(root.(store.Folder)), name, write); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

func uploadWhole(ctx context.Context, bucket store.Bucket, name string, write func(io.Writer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	upload, err := bucket.Create(ctx, name)
	if err != nil {
		return err
	}
	if err := write(upload); err != nil {
		cancel() // so that it never appears
		upload.Close()
		return err
	}
	return upload.Close()
}

// renameWhole writes in tmp. When it is done it removes what others left there of
// the same file: a killed writer, or one that is still alive, which then fails and
// is called again.
func renameWhole(dir, name string, write func(io.Writer) error) error {
	tmp := filepath.Join(dir, "tmp")
	if err := own.CheckFolder(tmp); err != nil {
		return err
	}
	if err := os.MkdirAll(tmp, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err // one that exists may have been removed a moment later
	}
	temp := filepath.Join(tmp, own.TempName(name))
	if err := fillFile(temp, write); err != nil {
		os.Remove(temp)
		return err
	}
	if err := os.Rename(temp, filepath.Join(dir, name)); err != nil {
		os.Remove(temp)
		return err
	}
	return own.Sweep(tmp, func(of string, _ fs.DirEntry) bool { return of == name })
}

func fillFile(path string, write func(io.Writer) error) error {
	file, err := createFile(path)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	return errors.Join(err, file.Close())
}
