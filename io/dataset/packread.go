package dataset

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// pick is a frame of a packed set, and where its picture lies in the dataset.
type pick struct {
	member
	file   string
	offset int64
	sha256 []byte
}

// Pictures are read ahead of where they are written to: as many pieces of a shard
// file at once as hide how long one takes, and as few that those of all packed
// files that a process writes fit into readAhead.
const (
	readAhead = 64 << 20
	pieceSize = 1 << 20  // of pictures that lie side by side, read in one go
	pieceGap  = 64 << 10 // between two pictures, which is read, too
)

var aheadBudget = semaphore.NewWeighted(readAhead)

// piece is a part of a shard file that is read in one go, with pictures that follow
// each other in the packed file, too.
type piece struct {
	picks  []pick
	data   []byte
	done   chan struct{} // closed once data is there, or err
	err    error
	weight int64
}

// pictures yields the pictures of picks, each compared with its checksum and valid
// until the next one. It ends with the first error, which names the picture.
func pictures(ctx context.Context, store ledger.Store, picks []pick) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pieces := make(chan *piece, piecesAhead(store))
		go readPieces(ctx, store, picks, pieces)
		defer func() { // nothing outlives this, nor keeps its share of the budget
			cancel()
			for p := range pieces {
				<-p.done
				p.release()
			}
		}()
		for p := range pieces {
			<-p.done
			more := p.yield(yield)
			p.release()
			if !more {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// pieceBuffers are used again: a new one would have to be cleared first.
var pieceBuffers sync.Pool

func pieceBuffer(size int) []byte {
	if b, ok := pieceBuffers.Get().(*[]byte); ok && cap(*b) >= size {
		return (*b)[:size]
	}
	return make([]byte, size)
}

// release gives back what reading took: nobody has the pictures any more.
func (p *piece) release() {
	aheadBudget.Release(p.weight)
	pieceBuffers.Put(&p.data)
}

func (p *piece) yield(yield func([]byte, error) bool) bool {
	if p.err != nil {
		yield(nil, p.err)
		return false
	}
	for i := range p.picks {
		if !yield(p.of(i), nil) {
			return false
		}
	}
	return true
}

// piecesAhead is how many pieces are read at once: in a bucket reading is waiting,
// not work.
func piecesAhead(store ledger.Store) int {
	if _, local := store.(ledger.Folder); local {
		return 2 * runtime.GOMAXPROCS(0)
	}
	return bucketReaders
}

// readPieces sends every piece as soon as its reading has begun.
func readPieces(ctx context.Context, store ledger.Store, picks []pick, pieces chan<- *piece) {
	defer close(pieces)
	for len(picks) > 0 {
		p := nextPiece(picks)
		picks = picks[len(p.picks):]
		if aheadBudget.Acquire(ctx, p.weight) != nil {
			return
		}
		go p.read(ctx, store)
		pieces <- p
	}
}

// nextPiece takes the first pictures that lie side by side.
func nextPiece(picks []pick) *piece {
	first := &picks[0]
	n, end := 1, first.offset+int64(first.size)
	for ; n < len(picks); n++ {
		next := &picks[n]
		gap := next.offset - end
		if next.file != first.file || gap < 0 || gap > pieceGap || next.offset+int64(next.size)-first.offset > pieceSize {
			break
		}
		end = next.offset + int64(next.size)
	}
	size := end - first.offset
	return &piece{picks: picks[:n], done: make(chan struct{}), weight: min(size, readAhead)}
}

func (p *piece) read(ctx context.Context, store ledger.Store) {
	defer close(p.done)
	last := &p.picks[len(p.picks)-1]
	p.data = pieceBuffer(int(last.offset + int64(last.size) - p.picks[0].offset))
	if err := store.ReadRange(ctx, p.picks[0].file, p.data, p.picks[0].offset); err != nil {
		if p.err = p.blame(ctx, store, err); p.err != nil {
			return
		}
	}
	for i := range p.picks {
		if sum := sha256.Sum256(p.of(i)); string(sum[:]) != string(p.picks[i].sha256) {
			p.err = p.picks[i].fault(errors.New("its bytes are not those that were recorded (SHA-256)"))
			return
		}
	}
}

// blame finds the picture that cannot be read, by reading them one by one.
func (p *piece) blame(ctx context.Context, store ledger.Store, err error) error {
	for i := range p.picks {
		if len(p.picks) > 1 {
			err = store.ReadRange(ctx, p.picks[i].file, p.of(i), p.picks[i].offset)
		}
		if err != nil {
			return p.picks[i].fault(err)
		}
	}
	return nil
}

func (p *piece) of(i int) []byte {
	at := p.picks[i].offset - p.picks[0].offset
	return p.data[at : at+int64(p.picks[i].size)]
}

// fault names a picture that cannot be had. A store that does not answer is no
// proof of damage.
func (p *pick) fault(err error) error {
	var failed *ledger.StoreError
	advice := ""
	switch {
	case errors.Is(err, context.Canceled), errors.As(err, &failed):
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		err, advice = errors.New("its file ends before it"), adviceVerify
	case errors.Is(err, fs.ErrNotExist):
		err, advice = errors.New("its file is not there"), adviceVerify
	default:
		advice = adviceVerify
	}
	return fmt.Errorf("reading the frame of %s at %s from %s: %w%s", p.Stream, clock(p.SampleMs), p.file, err, advice)
}

const adviceVerify = ": run kvsframes verify on the dataset, it tells what else is damaged"

// picksOf returns the frames that references name, in the order of their slots.
// They must fill n slots.
func picksOf(references []*framepb.References, n int64) ([]pick, error) {
	picks := make([]pick, n)
	seen := int64(0)
	for _, r := range references {
		for i, slot := range r.Slots {
			if slot < 0 || int64(slot) >= n || picks[slot].sha256 != nil {
				return nil, fmt.Errorf("slot %d of %d is named twice, or is not one: this is a mistake in kvsframes", slot, n)
			}
			origin := r.Origins[r.Origin[i]]
			picks[slot] = pick{
				member: member{
					Frame: framepb.Frame{
						Stream: origin.StreamName, StreamARN: origin.StreamArn, SampleMs: r.SampleMs[i], ImageMs: r.SampleMs[i] + r.ImageOffsetsMs[i],
						Format: origin.Format, Width: r.Widths[i], Height: r.Heights[i],
					},
					size: int(r.Sizes[i]), prefix: origin.KeyPrefix,
				},
				file: origin.File, offset: r.Offsets[i], sha256: r.Sha256[i*sha256.Size : (i+1)*sha256.Size],
			}
			if len(r.Labels) > 0 {
				picks[slot].Labels = r.Labels[i].GetValues()
			}
			seen++
		}
	}
	if seen != n {
		return nil, fmt.Errorf("%d of %d slots are named: this is a mistake in kvsframes", seen, n)
	}
	return picks, nil
}
