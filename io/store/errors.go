package store

import (
	"errors"
	"fmt"
)

// Error says that a bucket does not do what it is asked for: nothing is known of the
// file. It satisfies [io/fs.ErrPermission] where the service does not allow it, and
// [ErrNoBucket] where there is none.
type Error struct {
	Op  string // opening, reading, writing, listing or removing
	URL string // of the object, without what follows its ?
	Err error
}

func (e *Error) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.URL, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrNoBucket is the error of a bucket that does not exist.
var ErrNoBucket = errors.New("there is no bucket")

// UnfitError says that what is at a path cannot be a file of a dataset: it is something
// else than a file, or larger than allowed. It is never read.
type UnfitError struct {
	Path    string
	Problem string
}

func (e *UnfitError) Error() string { return fmt.Sprintf("%s %s", e.Path, e.Problem) }

// TooLarge is the error of a file of more bytes than the limit of [Store.Read].
func TooLarge(path string, size, limit int64) error {
	return &UnfitError{path, fmt.Sprintf("has %d bytes, the largest file of its kind has %d", size, limit)}
}
