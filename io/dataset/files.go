package dataset

import (
	"bytes"
	"io"
	"iter"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// files is one image file a frame, in a folder a shard.
type files struct{}

func (files) Path(span framepb.Span) string {
	return "shards/" + span.Series.ID() + "/" + span.Name()
}

func (files) Write(shard framepb.Shard, create func(name string) (io.WriteCloser, error)) error {
	for i := range shard.Frames {
		frame := &shard.Frames[i]
		if err := writeOne(create, frame.Key()+framepb.Extension(frame.Format), frame.Data); err != nil {
			return err
		}
	}
	return nil
}

// writeOne writes a file of one picture, which does not change any more.
func writeOne(create func(name string) (io.WriteCloser, error), name string, data []byte) error {
	file, err := create(name)
	if err != nil {
		return err
	}
	if err := lendTo(file, data); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func (files) Read(receipt *framepb.Receipt, open func(name string) (File, error)) iter.Seq2[Picture, error] {
	return func(yield func(Picture, error) bool) {
		var data bytes.Buffer
		for _, m := range membersOf(receipt) {
			data.Reset()
			name := m.name()
			err := readFile(&data, name, int64(m.size), open)
			if !yield(Picture{data.Bytes(), Position{Name: name}}, err) {
				return
			}
		}
	}
}

func (files) Positions(receipt *framepb.Receipt) ([]Position, error) {
	members := membersOf(receipt)
	positions := make([]Position, len(members))
	for i := range members {
		positions[i].Name = members[i].name()
	}
	return positions, nil
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
