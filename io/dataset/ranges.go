package dataset

import (
	"fmt"
	"slices"
	"sync"

	"github.com/kvsframes/kvsframes/io/store"
)

// ranges reads a file. What lies in a range that was loaded comes from memory: in a
// bucket, readers that ask for a little again and again would make a request each time.
type ranges struct {
	file store.File

	mu     sync.RWMutex
	loaded []*fileRange
}

// fileRange is a part of a file that is in memory.
type fileRange struct {
	first int64
	data  []byte
}

// newRanges returns the ranges of a file, with none loaded.
func newRanges(file store.File) *ranges { return &ranges{file: file} }

// Size returns the size of the file, in bytes.
func (f *ranges) Size() int64 { return f.file.Size() }

// load reads the bytes from first up to end in one go, and keeps them until release.
func (f *ranges) load(first, end int64) (*fileRange, error) {
	if first < 0 || end < first || end > f.file.Size() {
		return nil, fmt.Errorf("there is nothing from %d to %d of %d bytes", first, end, f.file.Size())
	}
	r := &fileRange{first, make([]byte, end-first)}
	if n, err := f.file.ReadAt(r.data, first); n < len(r.data) {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded = append(f.loaded, r)
	return r, nil
}

// release lets go of a range.
func (f *ranges) release(r *fileRange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded = slices.DeleteFunc(f.loaded, func(other *fileRange) bool { return other == r })
}

// ReadAt implements [io.ReaderAt].
func (f *ranges) ReadAt(p []byte, offset int64) (int, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, r := range f.loaded {
		if at := offset - r.first; at >= 0 && at+int64(len(p)) <= int64(len(r.data)) {
			return copy(p, r.data[at:]), nil
		}
	}
	return f.file.ReadAt(p, offset)
}
