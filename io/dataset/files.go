package dataset

import (
	"bytes"
	"io"
	"iter"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// files is one image file a frame, in a folder a shard.
type files struct{}

func (files) Path(span framepb.Span) string {
	return "shards/" + span.Series.ID() + "/" + span.Name()
}

func (files) Write(shard framepb.Shard, create func(name string) (io.WriteCloser, error)) error {
	for i := range shard.Frames {
		frame := &shard.Frames[i]
		file, err := create(frame.Key() + framepb.Extension(frame.Format))
		if err != nil {
			return err
		}
		if _, err := file.Write(frame.Data); err != nil {
			file.Close()
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (files) Read(receipt *framepb.Receipt, open func(name string) (File, error)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		series := receipt.GetSeries().Value()
		extension := framepb.Extension(ledger.Format(receipt))
		var data bytes.Buffer
		for outcome := range ledger.Outcomes(receipt) {
			if outcome.Kind != ledger.Frame {
				continue
			}
			data.Reset()
			err := readFile(&data, framepb.Key(series.StreamName, series.At(outcome.Index))+extension, int64(outcome.Size), open)
			if !yield(data.Bytes(), err) {
				return
			}
		}
	}
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
