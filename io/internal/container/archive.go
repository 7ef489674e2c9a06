package container

import (
	"io"
	"iter"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// Archive is a format of one file a shard: its blobs, and bytes around them that
// follow from what the receipt tells. So nothing is parsed when a file is read back:
// what stands around the blobs is made again and compared, to the last byte, and no
// size is taken from the file.
type Archive struct {
	Extension string // of its files, with the dot
	lay       func(members []Member) (layout, error)
	parse     func(data []byte) ([]frame.Frame, error) // of a whole file; its frames share the data
}

// Layout lays out a file of members. The error says that the format cannot hold them.
func (a Archive) Layout(members []Member) (*Layout, error) {
	layout, err := a.lay(members)
	if err != nil {
		return nil, err
	}
	return &Layout{layout}, nil
}

// Path is as [Format] says.
func (a Archive) Path(span frame.Span) string { return Folder{}.Path(span) + a.Extension }

// Write is as [Format] says.
func (a Archive) Write(shard frame.Shard, create func(name string) (io.WriteCloser, error)) error {
	layout, err := a.Layout(membersIn(shard))
	if err != nil {
		return err
	}
	file, err := create("")
	if err != nil {
		return err
	}
	if err := layout.Write(file, dataOf(shard, layout.Items())); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// dataOf yields blobs of a shard.
func dataOf(shard frame.Shard, blobs []Item) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for i := range blobs {
			if !yield(*DataOf(&shard.Frames[blobs[i].Frame], blobs[i].Tensor), nil) {
				return
			}
		}
	}
}

// Read is as [Format] says.
func (a Archive) Read(receipt *framepb.Receipt, open func(name string) (store.File, error)) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		members := MembersOf(receipt)
		layout, err := a.lay(members)
		var file store.File
		if err == nil {
			file, err = open("")
		}
		if err != nil {
			for _, b := range Items(members) {
				if !yield(b.at(Position{}), err) {
					return
				}
			}
			return
		}
		defer file.Close()
		r := newReader(file, layout)
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

// Check is as [Format] says.
func (a Archive) Check(receipt *framepb.Receipt) error {
	_, err := a.lay(MembersOf(receipt))
	return err
}

// Positions is as [Format] says.
func (a Archive) Positions(receipt *framepb.Receipt) ([]Blob, error) {
	layout, err := a.lay(MembersOf(receipt))
	if err != nil {
		return nil, err
	}
	blobs := layout.blobs()
	positions := make([]Blob, len(blobs))
	var at int64
	for i, b := range blobs {
		before, after := layout.lengths(i)
		at += int64(before)
		positions[i] = b.at(Position{Offset: at})
		at += int64(b.Size + after)
	}
	return positions, nil
}
