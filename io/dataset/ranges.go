package dataset

import (
	"fmt"
	"slices"
	"sync"

	"github.com/kvsframes/kvsframes/io/store"
)

// fileRanges answers from memory what lies in a range that was loaded, and reads
// the file for the rest. Readers that ask for a little again and again would make
// a request of each in a bucket.
type fileRanges struct {
	file store.File

	mu     sync.RWMutex
	loaded []*fileRange
}

type fileRange struct {
	first int64
	data  []byte
}

// load reads a range in one go and keeps it until it is released.
func (f *fileRanges) load(first, end int64) (*fileRange, error) {
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

func (f *fileRanges) release(r *fileRange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded = slices.DeleteFunc(f.loaded, func(other *fileRange) bool { return other == r })
}

func (f *fileRanges) ReadAt(p []byte, offset int64) (int, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, r := range f.loaded {
		if at := offset - r.first; at >= 0 && at+int64(len(p)) <= int64(len(r.data)) {
			return copy(p, r.data[at:]), nil
		}
	}
	return f.file.ReadAt(p, offset)
}
