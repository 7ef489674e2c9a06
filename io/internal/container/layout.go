package container

import (
	"io"
	"iter"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// layout makes what stands around the blobs of a shard. Its answers depend on the
// members alone, in length too, with one exception: what stands after a blob may
// hold a checksum of it. They are valid until the next call.
type layout interface {
	blobs() []Item // in the order of the file
	before(i int) []byte
	after(i int, data []byte) []byte
	lengths(i int) (before, after int)
	end() []byte
}

// Layout is a file of an Archive: where its blobs lie, and what stands around them. It must
// not be used by two goroutines at once.
type Layout struct{ layout }

// Items lists the blobs in the order of the file.
func (l *Layout) Items() []Item { return l.blobs() }

// Size returns the size of the file, in bytes.
func (l *Layout) Size() int64 { return newReader(nil, l.layout).total() }

// Write writes the file with its blobs, which come in the order of Items. It writes twice
// a blob, and the blob from where it lies.
func (l *Layout) Write(file io.Writer, blobs iter.Seq2[[]byte, error]) error {
	var between []byte
	i := 0
	for data, err := range blobs {
		if err != nil {
			return err
		}
		between = append(between, l.before(i)...)
		if _, err := file.Write(between); err != nil {
			return err
		}
		if err := store.Lend(file, data); err != nil {
			return err
		}
		between = append(between[:0], l.after(i, data)...)
		i++
	}
	_, err := file.Write(append(between, l.end()...))
	return err
}

// File is a file of a shard.
type File struct {
	Name  string // as Write gives it to create
	Size  int64  // bytes
	Frame int    // the one that it has a blob of; -1 for all frames of the shard
}

// Files lists the files of a receipt's frames, if there are some. Like Positions it reads no
// file.
func Files(format Format, receipt *framepb.Receipt) ([]File, error) {
	members := MembersOf(receipt)
	if len(members) == 0 {
		return nil, nil
	}
	if of, ok := format.(Archive); ok {
		layout, err := of.Layout(members)
		if err != nil {
			return nil, err
		}
		return []File{{Size: layout.Size(), Frame: -1}}, nil
	}
	var files []File
	for _, b := range Items(members) {
		files = append(files, File{members[b.Frame].Name(b.Tensor), int64(b.Size), b.Frame})
	}
	return files, nil
}

// SizeOf returns how many bytes a frame takes in a file of many that are like it.
func SizeOf(format Format, m Member) (int64, error) {
	of, ok := format.(Archive)
	if !ok {
		return int64(m.Size + m.TensorSize), nil
	}
	layout, err := of.Layout(slices.Repeat([]Member{m}, groupRows))
	if err != nil {
		return 0, err
	}
	return layout.Size() / groupRows, nil
}
