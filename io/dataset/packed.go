package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// packed is a format of one file a shard: its blobs, and bytes around them that
// follow from what the receipt tells. So nothing is parsed when a file is read back:
// what stands around the blobs is made again and compared, to the last byte, and no
// size is taken from the file.
type packed struct {
	extension string
	layout    func(members []member) (layout, error)
}

// member is a frame as far as the bytes around its blobs depend on it.
type member struct {
	framepb.Frame        // without Data and Tensor
	size          int    // of the picture
	tensorSize    int    // of the tensor beside it; 0 where there is none
	prefix        string // of the key, in place of the stream's name; empty where that will do
}

// membersIn lists the frames of a shard.
func membersIn(shard framepb.Shard) []member {
	members := make([]member, len(shard.Frames))
	for i, frame := range shard.Frames {
		members[i] = member{Frame: frame, size: len(frame.Data), tensorSize: len(frame.Tensor)}
		members[i].StreamARN, members[i].Data, members[i].Tensor = shard.Span.Series.StreamARN, nil, nil
	}
	return members
}

// blob is a Blob as its place in a file is reckoned.
type blob struct {
	frame  int
	tensor bool
	size   int
}

// inTurn lists the blobs frame by frame, the picture first.
func inTurn(members []member) []blob {
	blobs := make([]blob, 0, len(members))
	for i := range members {
		m := &members[i]
		blobs = append(blobs, blob{i, false, m.size})
		if m.tensorSize > 0 {
			blobs = append(blobs, blob{i, true, m.tensorSize})
		}
	}
	return blobs
}

func (b *blob) at(p Position) Blob { return Blob{Frame: b.frame, Tensor: b.tensor, Position: p} }

// blobOf is the tensor of a frame, or its picture.
func blobOf(frame *framepb.Frame, tensor bool) *[]byte {
	if tensor {
		return &frame.Tensor
	}
	return &frame.Data
}

// Key is [framepb.Frame.Key], but in a packed set that has several series of the
// stream.
func (m *member) Key() string {
	if m.prefix != "" {
		return m.prefix + "_" + framepb.Instant(m.SampleMs)
	}
	return m.Frame.Key()
}

// name is that of a file of the picture, or of the tensor beside it.
func (m *member) name(tensor bool) string {
	if tensor {
		return m.Key() + framepb.Extension(framepb.NPY)
	}
	return m.Key() + framepb.Extension(m.Format)
}

// labelled says whether a file tells of labels: then it does for each frame, because
// readers take the first one's fields for those of all.
func labelled(members []member) bool {
	return slices.ContainsFunc(members, func(m member) bool { return len(m.Labels) > 0 })
}

// layout makes what stands around the blobs of a shard. Its answers depend on the
// members alone, in length too, with one exception: what stands after a blob may
// hold a checksum of it. They are valid until the next call.
type layout interface {
	blobs() []blob // in the order of the file
	before(i int) []byte
	after(i int, data []byte) []byte
	end() []byte
}

func (p packed) Path(span framepb.Span) string { return files{}.Path(span) + p.extension }

func (p packed) Write(shard framepb.Shard, create func(name string) (io.WriteCloser, error)) error {
	layout, err := p.layout(membersIn(shard))
	if err != nil {
		return err
	}
	file, err := create("")
	if err != nil {
		return err
	}
	if err := writePacked(file, layout, dataOf(shard, layout.blobs())); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// dataOf yields blobs of a shard.
func dataOf(shard framepb.Shard, blobs []blob) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for i := range blobs {
			if !yield(*blobOf(&shard.Frames[blobs[i].frame], blobs[i].tensor), nil) {
				return
			}
		}
	}
}

// writePacked writes twice a blob, and the blob from where it lies.
func writePacked(file io.Writer, layout layout, blobs iter.Seq2[[]byte, error]) error {
	var between []byte
	i := 0
	for data, err := range blobs {
		if err != nil {
			return err
		}
		between = append(between, layout.before(i)...)
		if _, err := file.Write(between); err != nil {
			return err
		}
		if err := store.Lend(file, data); err != nil {
			return err
		}
		between = append(between[:0], layout.after(i, data)...)
		i++
	}
	_, err := file.Write(append(between, layout.end()...))
	return err
}

func (p packed) Read(receipt *framepb.Receipt, open func(name string) (File, error)) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		members := membersOf(receipt)
		layout, err := p.layout(members)
		var file File
		if err == nil {
			file, err = open("")
		}
		if err != nil {
			for _, b := range inTurn(members) {
				if !yield(b.at(Position{}), err) {
					return
				}
			}
			return
		}
		defer file.Close()
		r := newPackedReader(file, layout)
		for i := range r.blobs {
			found, err := r.next(i)
			if i == len(r.blobs)-1 && err == nil {
				err = r.checkEnd()
			}
			if !yield(found, err) {
				return
			}
		}
	}
}

func (p packed) Positions(receipt *framepb.Receipt) ([]Blob, error) {
	layout, err := p.layout(membersOf(receipt))
	if err != nil {
		return nil, err
	}
	blobs := layout.blobs()
	positions := make([]Blob, len(blobs))
	var at int64
	for i, b := range blobs {
		at += int64(len(layout.before(i)))
		positions[i] = b.at(Position{Offset: at})
		at += int64(b.size + len(layout.after(i, nil)))
	}
	return positions, nil
}

// membersOf lists the frames of a receipt.
func membersOf(receipt *framepb.Receipt) []member {
	series, format := receipt.GetSeries().Value(), ledger.Format(receipt)
	var members []member
	for o := range ledger.Outcomes(receipt) {
		if o.Kind != ledger.Frame {
			continue
		}
		at := series.At(o.Index)
		members = append(members, member{size: int(o.Size), tensorSize: int(o.TensorSize), Frame: framepb.Frame{
			Stream: series.StreamName, StreamARN: series.StreamARN, SampleMs: at, ImageMs: at + int64(o.OffsetMs),
			Format: format, Width: o.Width, Height: o.Height, Labels: o.Labels,
		}})
	}
	return members
}

// packedReader reads a file that may be damaged. Where bytes were taken out or put
// in at one place, it finds the blobs before and after it all the same.
type packedReader struct {
	file   File
	layout layout
	blobs  []blob
	at     int64 // where the next blob's piece begins in an undamaged file
	read   int64 // how far file.Read has come
	failed bool  // a blob was not as it was written
	whole  int64 // what total returned; 0 where nobody has asked
	buffer []byte
}

func newPackedReader(file File, layout layout) *packedReader {
	return &packedReader{file: file, layout: layout, blobs: layout.blobs()}
}

// next returns blob i, from where it should be or as far from it as the end of the
// file is from where that should be.
func (r *packedReader) next(i int) (Blob, error) {
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
func (r *packedReader) piece(i int, at int64) (found Blob, length int64, err error) {
	before := r.layout.before(i)
	start, size := at+int64(len(before)), r.blobs[i].size
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
func (r *packedReader) checkEnd() error {
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
func (r *packedReader) compare(want []byte, at int64) error {
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
func (r *packedReader) fill(p []byte, at int64) error {
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
func (r *packedReader) length(i int) int64 {
	n := len(r.layout.before(i)) + r.blobs[i].size
	return int64(n + len(r.layout.after(i, nil)))
}

// total returns the size of an undamaged file.
func (r *packedReader) total() int64 {
	if r.whole == 0 {
		r.whole = int64(len(r.layout.end()))
		for i := range r.blobs {
			r.whole += r.length(i)
		}
	}
	return r.whole
}
