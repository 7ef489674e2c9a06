package store

import (
	"context"
	"io"
)

// Store is the files in one place: a [Folder] or a [Bucket]. Paths are relative to it,
// with forward slashes. The error of a file that does not exist satisfies
// [io/fs.ErrNotExist].
//
// How a file is written whole or not at all is different in each, so it is no part of
// what they have in common.
type Store interface {
	// Read returns a whole file of at most limit bytes. The error is an
	// [*UnfitError] where it has more, or is no file.
	Read(ctx context.Context, path string, limit int64) ([]byte, error)

	// Open opens a file for reading until ctx is done. The error is an
	// [*UnfitError] where it is no file.
	Open(ctx context.Context, path string) (File, error)

	// ReadRange fills data with what a file holds from an offset on. Where the file
	// ends before, the error satisfies [io.ErrUnexpectedEOF].
	ReadRange(ctx context.Context, path string, data []byte, offset int64) error

	// List returns the names in a folder, of files and of folders, both in
	// order. A folder that does not exist is empty.
	List(ctx context.Context, folder string) (files, folders []string, err error)

	// Under lists what is at a path: the names in a folder, "" for a file,
	// nothing where there is nothing.
	Under(ctx context.Context, path string) ([]string, error)

	// Sizes returns the size of each file below a folder, at any depth, in bytes, by its
	// path relative to the folder; -1 for what is there and no file. A folder that does not
	// exist is empty. A bucket tells 1,000 of them in a request.
	Sizes(ctx context.Context, folder string) (map[string]int64, error)

	// Remove removes a file, but never one behind a link. It is no error if there is
	// no file.
	Remove(ctx context.Context, path string) error
}

// File is a file of a Store, open for reading.
type File interface {
	io.Reader
	io.ReaderAt
	io.Closer
	Size() int64 // bytes
}

// Bucket is the objects of a bucket below a prefix. An object appears, or replaces
// another one, when its upload is complete, and not before. Methods may be called by
// many goroutines at once.
type Bucket interface {
	Store

	// Empty reports whether the bucket has no object below the prefix.
	Empty(ctx context.Context) (bool, error)

	// ListBetween returns the names of the files in a folder from first to last, both
	// included, in the order of their bytes. Folders are left out, and so may be files
	// whose names have control characters. S3 and Google Cloud Storage list little more
	// than these names, however large the folder is.
	ListBetween(ctx context.Context, folder, first, last string) (files []string, err error)

	// RemoveAll removes many objects in as few requests as the service allows: S3 takes
	// 1,000 objects a request. Where a service does not know such a request, each object
	// is one, and some are sent at once. It is no error if there is no object. If there
	// is an error, some objects may be removed and others not.
	RemoveAll(ctx context.Context, paths []string) error

	// Put makes an object hold data, whole or not at all.
	Put(ctx context.Context, path string, data []byte) error

	// PutFrom makes an object hold content, whole or not at all, and takes as long as
	// it needs. Content is read where it lies, by many parts at once or more than once.
	PutFrom(ctx context.Context, path string, content *io.SectionReader) error

	// Make makes an object hold data where there is none. Where there is one, it stays,
	// and that is no error. Of many processes that make the same object, one is first;
	// but a service without conditional writes lets the last one win, so read back
	// what the object holds.
	Make(ctx context.Context, path string, data []byte) error

	// Create begins to write an object. It appears when Close has returned without an
	// error, and never where ctx is cancelled before. Close must be called in any case.
	Create(ctx context.Context, path string) (io.WriteCloser, error)
}

// At returns the store of that name: see the package's documentation. Two calls with
// one name return the same store. The error says what is wrong with the name, or with
// the configuration that it asks for; the store's methods find out whether it can be
// reached.
func At(name string) (Store, error) {
	p, err := ParsePlace(name)
	if err != nil {
		return nil, err
	}
	if p.Bucket == "" {
		return Folder(p.Folder), nil
	}
	return drivers[p.Scheme].Open(p)
}
