package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"path"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// stored is the files of one shard, read back.
type stored struct {
	ctx    context.Context // of all that is read
	store  store.Store
	path   string
	opened map[string]bool // by name within path
}

func (s *stored) open(name string) (store.File, error) {
	if s.opened == nil {
		s.opened = make(map[string]bool)
	}
	s.opened[name] = true
	return s.store.Open(s.ctx, path.Join(s.path, name))
}

// strays lists the names in the shard's folder that were not opened.
func (s *stored) strays() ([]string, error) {
	if s.opened[""] {
		return nil, nil // a file
	}
	names, err := s.store.Under(s.ctx, s.path)
	return slices.DeleteFunc(names, func(name string) bool { return s.opened[name] }), err
}

// readBlob is a blob of a frame, and what the receipt says of the frame.
type readBlob struct {
	ledger.Outcome
	container.Blob
}

// blobs yields every blob of a receipt, with an error where the file is not what was
// recorded: one that satisfies fs.ErrNotExist where there is no file.
func (s *stored) blobs(format container.Format, receipt *framepb.Receipt) iter.Seq2[readBlob, error] {
	return func(yield func(readBlob, error) bool) {
		var frames []ledger.Outcome
		for outcome := range ledger.Outcomes(receipt) {
			if outcome.Kind == ledger.Frame {
				frames = append(frames, outcome)
			}
		}
		for blob, err := range format.Read(receipt, s.open) {
			read := readBlob{frames[blob.Frame], blob}
			if err == nil {
				err = read.compare()
			}
			if !yield(read, err) {
				return
			}
		}
	}
}

func (b *readBlob) compare() error {
	size, want := b.Size, b.SHA256
	if b.Tensor {
		size, want = b.TensorSize, b.TensorSHA256
	}
	if len(b.Data) > int(size) {
		return fmt.Errorf("it has more than the %d bytes that were written", size)
	}
	if len(b.Data) < int(size) {
		return fmt.Errorf("it has %d bytes, %d were written", len(b.Data), size)
	}
	if sum := sha256.Sum256(b.Data); !bytes.Equal(sum[:], want) {
		return fmt.Errorf("its %d bytes are not those that were written (SHA-256)", size)
	}
	return nil
}

// holds reports whether what is at its path is exactly the blobs of a receipt.
func (s *stored) holds(format container.Format, receipt *framepb.Receipt) bool {
	for _, err := range s.blobs(format, receipt) {
		if err != nil {
			return false
		}
	}
	strays, err := s.strays()
	return err == nil && len(strays) == 0
}
