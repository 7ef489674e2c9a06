package store

import (
	"fmt"
	"slices"
	"sync"
)

// Ranges reads a file. What lies in a range that was loaded comes from memory: in a
// bucket, readers that ask for a little again and again would make a request each time.
type Ranges struct {
	file File

	mu     sync.RWMutex
	loaded []*Range
}

// Range is a part of a file that is in memory.
type Range struct {
	first int64
	Data  []byte
}

// NewRanges returns the Ranges of a file, with none loaded.
func NewRanges(file File) *Ranges { return &Ranges{file: file} }

// Size returns the size of the file, in bytes.
func (f *Ranges) Size() int64 { return f.file.Size() }

// Load reads the bytes from first up to end in one go, and keeps them until Release.
func (f *Ranges) Load(first, end int64) (*Range, error) {
	if first < 0 || end < first || end > f.file.Size() {
		return nil, fmt.Errorf("there is nothing from %d to %d of %d bytes", first, end, f.file.Size())
	}
	r := &Range{first, make([]byte, end-first)}
	if n, err := f.file.ReadAt(r.Data, first); n < len(r.Data) {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded = append(f.loaded, r)
	return r, nil
}

// Release lets go of a range.
func (f *Ranges) Release(r *Range) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded = slices.DeleteFunc(f.loaded, func(other *Range) bool { return other == r })
}

// ReadAt implements [io.ReaderAt].
func (f *Ranges) ReadAt(p []byte, offset int64) (int, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, r := range f.loaded {
		if at := offset - r.first; at >= 0 && at+int64(len(p)) <= int64(len(r.Data)) {
			return copy(p, r.Data[at:]), nil
		}
	}
	return f.file.ReadAt(p, offset)
}
