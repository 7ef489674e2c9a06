package store

import (
	"context"
	"errors"
)

// Twice calls read, and once more where the store is a bucket and damaged says of the error
// that a file is not as it was written. An answer may be cut, empty or not the store's, and
// yet be whole to HTTP: only what comes again is a file's own. What a folder holds is as
// it is.
//
// Every reader that takes something away, fetches it again or reports it because it is
// damaged goes through Twice.
func Twice(s Store, read func() error, damaged func(error) bool) error {
	err := read()
	if _, ok := s.(Bucket); ok && err != nil && damaged(err) {
		err = read()
	}
	return err
}

// OpenTwice opens what is in a place, as Twice reads; damaged is the error of what is not as
// it was written.
func OpenTwice[T any](place string, open func(Store) (T, error), damaged error) (opened T, err error) {
	root, err := At(place)
	if err != nil {
		return opened, err
	}
	err = Twice(root, func() (err error) {
		opened, err = open(root)
		return err
	}, func(err error) bool { return errors.Is(err, damaged) })
	return opened, err
}

// IsDamage reports whether an error is of what was read: a store that does not answer, or
// is not waited for, is no proof of anything.
func IsDamage(ctx context.Context, err error) bool {
	var failed *Error
	return !errors.As(err, &failed) && ctx.Err() == nil
}
