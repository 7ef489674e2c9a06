package container

import (
	"bytes"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// Folder is one image file a frame, and one of the tensor beside it, in a folder a
// shard.
type Folder struct{}

// Path is as [Format] says.
func (Folder) Path(span frame.Span) string {
	return "shards/" + span.Series.ID() + "/" + span.Name()
}

// Write is as [Format] says.
func (Folder) Write(shard frame.Shard, create func(name string) (io.WriteCloser, error)) error {
	members := membersIn(shard)
	for _, b := range Items(members) {
		if err := WriteOne(create, members[b.Frame].Name(b.Tensor), *DataOf(&shard.Frames[b.Frame], b.Tensor)); err != nil {
			return err
		}
	}
	return nil
}

// IsMember reports whether Write may have given a file of a shard this name, in
// whatever format its pictures are.
func IsMember(span frame.Span, name string) bool {
	key, extension, _ := strings.Cut(name, ".")
	instant, ok := strings.CutPrefix(key, frame.FileName(span.Series.StreamName)+"_")
	ms, err := frame.ParseInstant(instant)
	index := span.Series.Index(ms)
	return ok && err == nil && span.Series.At(index) == ms && span.First <= index && index < span.End() &&
		slices.Contains(extensions, "."+extension)
}

var extensions = []string{
	frame.Extension(frame.JPEG), frame.Extension(frame.PNG), frame.Extension(frame.NPY), frame.Extension(frame.RGB),
}

// WriteOne writes a file of one blob, which does not change any more.
func WriteOne(create func(name string) (io.WriteCloser, error), name string, data []byte) error {
	file, err := create(name)
	if err != nil {
		return err
	}
	if err := store.Lend(file, data); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// Read is as [Format] says.
func (Folder) Read(receipt *framepb.Receipt, open func(name string) (store.File, error)) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		members := MembersOf(receipt)
		var data bytes.Buffer
		for _, b := range Items(members) {
			data.Reset()
			found := b.at(Position{Name: members[b.Frame].Name(b.Tensor)})
			err := readFile(&data, found.Name, int64(b.Size), open)
			found.Data = data.Bytes()
			if !yield(found, err) {
				return
			}
		}
	}
}

// Check is as [Format] says: a folder can hold all frames.
func (Folder) Check(*framepb.Receipt) error { return nil }

// Positions is as [Format] says.
func (Folder) Positions(receipt *framepb.Receipt) ([]Blob, error) {
	members := MembersOf(receipt)
	blobs := make([]Blob, 0, len(members))
	for _, b := range Items(members) {
		blobs = append(blobs, b.at(Position{Name: members[b.Frame].Name(b.Tensor)}))
	}
	return blobs, nil
}

// readFile reads no more than shows that a file is larger than it should be.
func readFile(data *bytes.Buffer, name string, size int64, open func(name string) (store.File, error)) error {
	file, err := open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = data.ReadFrom(io.LimitReader(file, size+1))
	return err
}
