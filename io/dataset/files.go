package dataset

import (
	"bytes"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// files is one image file a frame, and one of the tensor beside it, in a folder a
// shard.
type files struct{}

func (files) Path(span framepb.Span) string {
	return "shards/" + span.Series.ID() + "/" + span.Name()
}

func (files) Write(shard framepb.Shard, create func(name string) (io.WriteCloser, error)) error {
	members := membersIn(shard)
	for _, b := range inTurn(members) {
		if err := writeOne(create, members[b.frame].name(b.tensor), *blobOf(&shard.Frames[b.frame], b.tensor)); err != nil {
			return err
		}
	}
	return nil
}

// isMember reports whether Write may have given a file of a shard this name, in
// whatever format its pictures are.
func isMember(span framepb.Span, name string) bool {
	key, extension, _ := strings.Cut(name, ".")
	instant, ok := strings.CutPrefix(key, framepb.FileName(span.Series.StreamName)+"_")
	ms, err := framepb.ParseInstant(instant)
	index := span.Series.Index(ms)
	return ok && err == nil && span.Series.At(index) == ms && span.First <= index && index < span.End() &&
		slices.Contains(extensions, "."+extension)
}

var extensions = []string{
	framepb.Extension(framepb.JPEG), framepb.Extension(framepb.PNG), framepb.Extension(framepb.NPY), framepb.Extension(framepb.RGB),
}

// writeOne writes a file of one blob, which does not change any more.
func writeOne(create func(name string) (io.WriteCloser, error), name string, data []byte) error {
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

func (files) Read(receipt *framepb.Receipt, open func(name string) (File, error)) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		members := membersOf(receipt)
		var data bytes.Buffer
		for _, b := range inTurn(members) {
			data.Reset()
			found := b.at(Position{Name: members[b.frame].name(b.tensor)})
			err := readFile(&data, found.Name, int64(b.size), open)
			found.Data = data.Bytes()
			if !yield(found, err) {
				return
			}
		}
	}
}

func (files) Positions(receipt *framepb.Receipt) ([]Blob, error) {
	members := membersOf(receipt)
	blobs := make([]Blob, 0, len(members))
	for _, b := range inTurn(members) {
		blobs = append(blobs, b.at(Position{Name: members[b.frame].name(b.tensor)}))
	}
	return blobs, nil
}

// readFile reads no more than shows that a file is larger than it should be.
func readFile(data *bytes.Buffer, name string, size int64, open func(name string) (File, error)) error {
	file, err := open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = data.ReadFrom(io.LimitReader(file, size+1))
	return err
}
