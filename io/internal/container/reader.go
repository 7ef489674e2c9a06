package container

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/kvsframes/kvsframes/io/store"
)

// reader reads a file that may be damaged. Where bytes were taken out or put
// in at one place, it finds the blobs before and after it all the same.
type reader struct {
	file   store.File
	layout layout
	blobs  []Item
	at     int64 // where the next blob's piece begins in an undamaged file
	read   int64 // how far file.Read has come
	failed bool  // a blob was not as it was written
	whole  int64 // what total returned; 0 where nobody has asked
	buffer []byte
}

func newReader(file store.File, layout layout) *reader {
	return &reader{file: file, layout: layout, blobs: layout.blobs()}
}

// next returns blob i, from where it should be or as far from it as the end of the
// file is from where that should be.
func (r *reader) next(i int) (Blob, error) {
	at := r.at
	found, length, err := r.piece(i, at)
	if length == 0 {
		length = r.length(i)
		if shift := r.file.Size() - r.total(); shift != 0 {
			moved, there, problem := r.piece(i, at+shift)
			switch {
			case there > 0:
				found, err = moved, problem
			case shift < 0:
				err = fmt.Errorf("it is not in its file: %w", fs.ErrNotExist)
			}
		}
	}
	r.at = at + length
	r.failed = r.failed || err != nil
	return found, err
}

// piece reads blob i and what stands around it, which is of that length; 0 where
// what should stand before the blob does not.
func (r *reader) piece(i int, at int64) (found Blob, length int64, err error) {
	before := r.layout.before(i)
	start, size := at+int64(len(before)), r.blobs[i].Size
	found = r.blobs[i].at(Position{Offset: start})
	if at < 0 || start > r.file.Size() {
		return found, 0, errors.New("its file ends before it")
	}
	if start+int64(size) > r.file.Size() { // so that a buffer is never larger than the file
		return found, r.length(i), errors.New("its file ends inside it")
	}
	r.buffer = slices.Grow(r.buffer[:0], len(before)+size)[:len(before)+size]
	if err := r.fill(r.buffer, at); err != nil {
		return found, r.length(i), err
	}
	if !bytes.Equal(r.buffer[:len(before)], before) {
		return found, 0, errors.New("what stands before it in its file is not what was written")
	}
	data := r.buffer[len(before):]
	after := r.layout.after(i, data)
	length = int64(len(before) + size + len(after))
	if err := r.compare(after, start+int64(size)); err != nil {
		return found, length, fmt.Errorf("what stands after it in its file %w", err)
	}
	found.Data = data
	return found, length, nil
}

// checkEnd looks at what the last blob does not show.
func (r *reader) checkEnd() error {
	if shift := r.file.Size() - r.total(); shift != 0 && !r.failed {
		return fmt.Errorf("its file has %d bytes, %d were written", r.file.Size(), r.total())
	}
	end := r.layout.end()
	if err := r.compare(end, r.file.Size()-int64(len(end))); err != nil {
		return fmt.Errorf("the end of its file %w", err)
	}
	return nil
}

var errDiffers = errors.New("is not what was written")

// compare compares the file with want from an offset on.
func (r *reader) compare(want []byte, at int64) error {
	if at < 0 || at+int64(len(want)) > r.file.Size() {
		return errDiffers
	}
	have := make([]byte, len(want))
	if err := r.fill(have, at); err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if !bytes.Equal(have, want) {
		return errDiffers
	}
	return nil
}

// fill reads on where it can: an undamaged file is read in one go.
func (r *reader) fill(p []byte, at int64) error {
	if at == r.read {
		n, err := io.ReadFull(r.file, p)
		r.read += int64(n)
		return err
	}
	if n, err := r.file.ReadAt(p, at); n < len(p) {
		return err
	}
	return nil
}

// length returns how long blob i is with what stands around it.
func (r *reader) length(i int) int64 {
	before, after := r.layout.lengths(i)
	return int64(before + r.blobs[i].Size + after)
}

// total returns the size of an undamaged file.
func (r *reader) total() int64 {
	if r.whole == 0 {
		r.whole = int64(len(r.layout.end()))
		for i := range r.blobs {
			r.whole += r.length(i)
		}
	}
	return r.whole
}
