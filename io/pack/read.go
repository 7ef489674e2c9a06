package pack

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

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/store"
)

// pick is a frame of a packed set, and where its blobs lie in the dataset.
type pick struct {
	container.Member
	picture, tensor source
}

// source is where a blob lies, and its checksum.
type source struct {
	file   string
	offset int64
	sha256 []byte
}

// pickedBlob is a blob of a packed set.
type pickedBlob struct {
	source
	size int
	of   *pick
}

// blobsOf lists the blobs of picks, in the order that they are written in.
func blobsOf(picks []pick, order []container.Item) []pickedBlob {
	blobs := make([]pickedBlob, len(order))
	for i, b := range order {
		p := &picks[b.Frame]
		blobs[i] = pickedBlob{p.picture, b.Size, p}
		if b.Tensor {
			blobs[i].source = p.tensor
		}
	}
	return blobs
}

// Blobs are read ahead of where they are written to: as many pieces of a shard
// file at once as hide how long one takes, and as few that those of all packed
// files that a process writes fit into readAhead.
const (
	readAhead = 64 << 20
	pieceSize = 1 << 20  // of blobs that lie side by side, read in one go
	pieceGap  = 64 << 10 // between two blobs, which is read, too
)

// piecesOfBucket is how many pieces are read at once from a bucket.
const piecesOfBucket = 32

var aheadBudget = semaphore.NewWeighted(readAhead)

// piece is a part of a shard file that is read in one go, with blobs that follow each
// other in the packed file, too.
type piece struct {
	blobs  []pickedBlob
	data   []byte
	done   chan struct{} // closed once data is there, or err
	err    error
	weight int64
}

// picked yields the blobs of picks in an order, each compared with its checksum and
// valid until the next one. It ends with the first error, which names the frame.
func picked(ctx context.Context, root store.Store, picks []pick, order []container.Item) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pieces := make(chan *piece, piecesAhead(root))
		go readPieces(ctx, root, blobsOf(picks, order), pieces)
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

// release gives back what reading took: nobody has the blobs any more.
func (p *piece) release() {
	aheadBudget.Release(p.weight)
	pieceBuffers.Put(&p.data)
}

func (p *piece) yield(yield func([]byte, error) bool) bool {
	if p.err != nil {
		yield(nil, p.err)
		return false
	}
	for i := range p.blobs {
		if !yield(p.of(i), nil) {
			return false
		}
	}
	return true
}

// piecesAhead is how many pieces are read at once: in a bucket reading is waiting,
// not work.
func piecesAhead(root store.Store) int {
	if _, local := root.(store.Folder); local {
		return 2 * runtime.GOMAXPROCS(0)
	}
	return piecesOfBucket
}

// readPieces sends every piece as soon as its reading has begun.
func readPieces(ctx context.Context, root store.Store, blobs []pickedBlob, pieces chan<- *piece) {
	defer close(pieces)
	for len(blobs) > 0 {
		p := nextPiece(blobs)
		blobs = blobs[len(p.blobs):]
		if aheadBudget.Acquire(ctx, p.weight) != nil {
			return
		}
		go p.read(ctx, root)
		pieces <- p
	}
}

// nextPiece takes the first blobs that lie side by side.
func nextPiece(blobs []pickedBlob) *piece {
	first := &blobs[0]
	n, end := 1, first.offset+int64(first.size)
	for ; n < len(blobs); n++ {
		next := &blobs[n]
		gap := next.offset - end
		if next.file != first.file || gap < 0 || gap > pieceGap || next.offset+int64(next.size)-first.offset > pieceSize {
			break
		}
		end = next.offset + int64(next.size)
	}
	size := end - first.offset
	return &piece{blobs: blobs[:n], done: make(chan struct{}), weight: min(size, readAhead)}
}

func (p *piece) read(ctx context.Context, root store.Store) {
	defer close(p.done)
	p.err = store.Twice(root,
		func() error { return p.load(ctx, root) },
		func(err error) bool { return store.IsDamage(ctx, err) },
	)
}

func (p *piece) load(ctx context.Context, root store.Store) error {
	first, last := &p.blobs[0], &p.blobs[len(p.blobs)-1]
	end := last.offset + int64(last.size)
	if p.weight == readAhead { // no memory for what its file cannot hold
		if err := reachesTo(ctx, root, first.file, end); err != nil {
			return first.fault(err)
		}
	}
	if p.data == nil {
		p.data = pieceBuffer(int(end - first.offset))
	}
	if len(p.data) == 0 { // a frame without a tensor, among others that have one
		return nil
	}
	if err := root.ReadRange(ctx, first.file, p.data, first.offset); err != nil {
		if err := p.blame(ctx, root, err); err != nil {
			return err
		}
	}
	for i := range p.blobs {
		if sum := sha256.Sum256(p.of(i)); string(sum[:]) != string(p.blobs[i].sha256) {
			return p.blobs[i].fault(errors.New("its bytes are not those that were recorded (SHA-256)"))
		}
	}
	return nil
}

// reachesTo returns an error unless a file has at least size bytes.
func reachesTo(ctx context.Context, root store.Store, path string, size int64) error {
	file, err := root.Open(ctx, path)
	if err != nil {
		return err
	}
	defer file.Close()
	if file.Size() < size {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// blame finds the blob that cannot be read, by reading them one by one.
func (p *piece) blame(ctx context.Context, root store.Store, err error) error {
	for i := range p.blobs {
		if len(p.blobs) > 1 {
			err = root.ReadRange(ctx, p.blobs[i].file, p.of(i), p.blobs[i].offset)
		}
		if err != nil {
			return p.blobs[i].fault(err)
		}
	}
	return nil
}

func (p *piece) of(i int) []byte {
	at := p.blobs[i].offset - p.blobs[0].offset
	return p.data[at : at+int64(p.blobs[i].size)]
}

// fault names a frame that cannot be had. A store that does not answer is no proof
// of damage.
func (b *pickedBlob) fault(err error) error {
	var failed *store.Error
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
	return fmt.Errorf("reading the frame of %s at %s from %s: %w%s", b.of.Stream, frame.Clock(b.of.SampleMs), b.file, err,
		advice)
}

const adviceVerify = ": verify the dataset, to see what else is damaged"

// picksOf returns the frames that references name, in the order of their slots.
// They must fill n slots.
func picksOf(references []*framepb.References, n int64) ([]pick, error) {
	picks := make([]pick, n)
	seen := int64(0)
	for _, r := range references {
		for i, slot := range r.Slots {
			if slot < 0 || int64(slot) >= n || picks[slot].picture.sha256 != nil {
				return nil, fmt.Errorf("slot %d of %d is named twice, or is not one: this is a mistake in kvsframes", slot, n)
			}
			origin := r.Origins[r.Origin[i]]
			picks[slot] = pick{
				Member: container.Member{
					Frame: frame.Frame{
						Stream: origin.StreamName, StreamARN: origin.StreamArn, SampleMs: r.SampleMs[i],
						ImageMs: r.SampleMs[i] + r.ImageOffsetsMs[i],
						Format:  origin.Format, Width: r.Widths[i], Height: r.Heights[i],
					},
					Size: int(r.Sizes[i]), Prefix: origin.KeyPrefix,
				},
				picture: source{origin.File, r.Offsets[i], r.Sha256[i*sha256.Size : (i+1)*sha256.Size]},
			}
			if len(r.TensorSizes) > 0 && r.TensorSizes[i] > 0 {
				picks[slot].TensorSize = int(r.TensorSizes[i])
				picks[slot].tensor = source{
					origin.TensorFile, r.TensorOffsets[i],
					r.TensorSha256[i*sha256.Size : (i+1)*sha256.Size],
				}
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
