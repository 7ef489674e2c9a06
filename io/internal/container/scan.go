package container

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/store"
)

// NotShardError says why what is at a shard's path is not what Write writes there.
type NotShardError struct {
	Err error
}

func (e *NotShardError) Error() string {
	return fmt.Sprintf("it is no shard of the dataset: %v", e.Err)
}

func (e *NotShardError) Unwrap() error { return e.Err }

// The most bytes that Scan reads: of one file, and for each sample that it may have. A
// picture of the most pixels that the service gives takes less, with its tensor.
const (
	scanLimit   = 4 << 30
	sampleLimit = 128 << 20
)

// Scan is as [Format] says. The frames that it finds, written again, must be the file, byte
// for byte.
func (a Archive) Scan(span frame.Span, _ func() ([]string, error), open func(name string) (store.File, error)) (
	[]frame.Frame, error,
) {
	data, err := readWhole("", min(scanLimit, span.Samples*sampleLimit), open)
	if err != nil {
		return nil, err
	}
	frames, err := a.parse(data)
	if err == nil {
		err = checkScanned(span, frames)
	}
	if err == nil {
		shard := frame.Shard{Span: span, Frames: frames}
		err = a.Write(shard, func(string) (io.WriteCloser, error) { return &comparer{data}, nil })
	}
	if err != nil {
		return nil, &NotShardError{err}
	}
	return frames, nil
}

// checkScanned refuses frames that no shard of a span has, and says which stream they are of.
func checkScanned(span frame.Span, frames []frame.Frame) error {
	if len(frames) == 0 {
		return errors.New("it has no frame")
	}
	next := span.First
	for i := range frames {
		f := &frames[i]
		index := span.Series.Index(f.SampleMs)
		if span.Series.At(index) != f.SampleMs || index < next || index >= span.End() {
			return fmt.Errorf("its frame %d is of sample time %d ms, which is not of the shard, or out of order", i, f.SampleMs)
		}
		next = index + 1
		f.Stream = span.Series.StreamName
		if len(f.Labels) == 0 {
			f.Labels = nil
		}
		if len(f.Tensor) == 0 {
			f.Tensor = nil
		}
	}
	return nil
}

// readWhole reads a file of at most limit bytes.
func readWhole(name string, limit int64, open func(name string) (store.File, error)) ([]byte, error) {
	file, err := open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.Size() > limit {
		return nil, &NotShardError{fmt.Errorf("it has %d bytes, it must have at most %d", file.Size(), limit)}
	}
	data := make([]byte, file.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, err
	}
	return data, nil
}

var errNotRewritten = errors.New("its frames, written again, are not its bytes")

// comparer takes a file that must be the bytes that are left.
type comparer struct{ left []byte }

func (c *comparer) Write(p []byte) (int, error) {
	rest, ok := bytes.CutPrefix(c.left, p)
	if !ok {
		return 0, errNotRewritten
	}
	c.left = rest
	return len(p), nil
}

func (c *comparer) Close() error {
	if len(c.left) > 0 {
		return errNotRewritten
	}
	return nil
}
