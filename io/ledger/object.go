package ledger

import (
	"context"
	"io"
)

// readTries is how often the bytes of an object are asked for where an answer is
// cut short. Requests that fail are tried again below this, by the drivers.
const readTries = 4

// object is an object of a bucket, open for reading.
type object struct {
	ctx    context.Context
	bucket *Bucket
	path   string
	size   int64

	stream io.ReadCloser // what Read reads; nil where it is to be opened at offset
	offset int64
}

func (o *object) Size() int64 { return o.size }

func (o *object) Read(data []byte) (n int, err error) {
	if len(data) == 0 {
		return 0, nil
	}
	for range readTries {
		if o.offset >= o.size {
			return 0, io.EOF
		}
		if n, err = o.read(data); n > 0 {
			return n, nil
		}
		if o.ctx.Err() != nil {
			break
		}
	}
	return 0, o.cut(err)
}

func (o *object) read(data []byte) (n int, err error) {
	if o.stream == nil {
		if o.stream, err = o.bucket.rangeOf(o.ctx, o.path, o.offset, o.size-o.offset); err != nil {
			o.stream = nil
			return 0, err
		}
	}
	n, err = o.stream.Read(data)
	o.offset += int64(n)
	if err != nil {
		o.Close()
	}
	return n, err
}

func (o *object) ReadAt(data []byte, offset int64) (n int, err error) {
	want := min(int64(len(data)), o.size-offset)
	if want <= 0 {
		if len(data) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	for range readTries {
		var part int
		part, err = o.readAt(data[n:want], offset+int64(n))
		if n += part; int64(n) == want {
			break
		}
		if o.ctx.Err() != nil {
			break
		}
	}
	switch {
	case int64(n) < want:
		return n, o.cut(err)
	case n < len(data):
		return n, io.EOF
	}
	return n, nil
}

func (o *object) readAt(data []byte, offset int64) (int, error) {
	stream, err := o.bucket.rangeOf(o.ctx, o.path, offset, int64(len(data)))
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	return io.ReadFull(stream, data)
}

// cut is the error of an answer that ended too early, however often.
func (o *object) cut(err error) error {
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return o.bucket.fault(o.ctx, "reading", o.path, err)
}

func (o *object) Close() error {
	if o.stream == nil {
		return nil
	}
	err := o.stream.Close()
	o.stream = nil
	return err
}

func (b *Bucket) rangeOf(ctx context.Context, path string, offset, length int64) (io.ReadCloser, error) {
	return b.bucket.NewRangeReader(ctx, b.key(path), offset, length, nil)
}
