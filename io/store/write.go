package store

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kvsframes/kvsframes/io/internal/disk"
)

// attempts bounds how often a step is done again because another process removed an empty
// folder, or what it took for the leftover of a killed writer.
const attempts = 20

// WriteFile makes a file in the root of a store hold what write writes, whole or not at
// all. It may call write more than once. In a folder it writes in tmp, flushes the file to the
// disk, and removes when it is done what others left in tmp of the same file: a killed writer,
// or one that is alive, which then fails and is called again.
func WriteFile(ctx context.Context, root Store, name string, write func(io.Writer) error) error {
	if bucket, ok := root.(Bucket); ok {
		return uploadFile(ctx, bucket, name, write)
	}
	var err error
	for range attempts {
		if err = root.(Folder).writeFile(name, write); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

func uploadFile(ctx context.Context, bucket Bucket, name string, write func(io.Writer) error) error {
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

func (f Folder) writeFile(name string, write func(io.Writer) error) error {
	var file *os.File
	temp, err := f.Temp(name, func(path string) (err error) {
		file, err = CreateFile(path)
		return err
	})
	if err != nil {
		return err
	}
	if err = fill(file, write); err == nil {
		err = disk.Rename(temp, f.path(name))
	}
	if err != nil {
		disk.Remove(temp)
		return err
	}
	if err := disk.FlushNames(string(f), f.path(name)); err != nil {
		return err
	}
	return disk.Sweep(f.tmp(), func(of string, _ fs.DirEntry) bool { return of == name })
}

func fill(file *os.File, write func(io.Writer) error) error {
	buffered := bufio.NewWriterSize(file, 1<<20)
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = disk.Flush(file)
	}
	return errors.Join(err, file.Close())
}

// CreateFile creates a file of the local file system that does not exist.
func CreateFile(path string) (*os.File, error) {
	return disk.Create(path)
}

// Temp returns a new path in tmp, below the folder, where create has made a file or a
// folder for what is being written of name; nothing is there where create fails. Whoever
// writes it renames it to where it belongs, or removes it. Its name is one of
// [disk.TempName]. The folder tmp stays: to a file system, making folders costs most.
func (f Folder) Temp(name string, create func(path string) error) (path string, err error) {
	if err := disk.CheckFolder(f.tmp()); err != nil {
		return "", err
	}
	path = filepath.Join(f.tmp(), disk.TempName(name))
	err = create(path)
	for try := 0; errors.Is(err, fs.ErrNotExist) && try < attempts; try++ {
		// That it exists is said also where it was removed a moment later.
		if err = disk.MkdirAll(f.tmp()); err == nil || errors.Is(err, fs.ErrExist) {
			err = create(path)
		}
	}
	if err != nil {
		disk.RemoveAll(path)
		return "", err
	}
	return path, nil
}

func (f Folder) tmp() string { return f.path("tmp") }
