package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// stored is the files of one shard, read back.
type stored struct {
	ctx    context.Context // of all that is read
	store  ledger.Store
	path   string
	opened map[string]bool // by name within path
}

func (s *stored) open(name string) (File, error) {
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

// picture is a frame's bytes, valid until the next one, and what the receipt
// says of it.
type picture struct {
	ledger.Outcome
	data []byte
}

// pictures yields every frame of a receipt, with an error where the file is not
// what was recorded: one that satisfies fs.ErrNotExist where there is no file.
func (s *stored) pictures(format Format, receipt *framepb.Receipt) iter.Seq2[picture, error] {
	return func(yield func(picture, error) bool) {
		var frames []ledger.Outcome
		for outcome := range ledger.Outcomes(receipt) {
			if outcome.Kind == ledger.Frame {
				frames = append(frames, outcome)
			}
		}
		for read, err := range format.Read(receipt, s.open) {
			if len(frames) == 0 {
				return
			}
			frame := picture{frames[0], read.Data}
			frames = frames[1:]
			if err == nil {
				err = frame.compare()
			}
			if !yield(frame, err) {
				return
			}
		}
		for _, frame := range frames {
			if !yield(picture{frame, nil}, fmt.Errorf("its file ends before it: %w", fs.ErrNotExist)) {
				return
			}
		}
	}
}

func (p picture) compare() error {
	if len(p.data) > int(p.Size) {
		return fmt.Errorf("it has more than the %d bytes that were written", p.Size)
	}
	if len(p.data) < int(p.Size) {
		return fmt.Errorf("it has %d bytes, %d were written", len(p.data), p.Size)
	}
	if sum := sha256.Sum256(p.data); !bytes.Equal(sum[:], p.SHA256) {
		return fmt.Errorf("its %d bytes are not those that were written (SHA-256)", p.Size)
	}
	return nil
}

// holds reports whether what is at its path is exactly the pictures of a receipt.
func (s *stored) holds(format Format, receipt *framepb.Receipt) bool {
	for _, err := range s.pictures(format, receipt) {
		if err != nil {
			return false
		}
	}
	strays, err := s.strays()
	return err == nil && len(strays) == 0
}
