package bucket

import (
	"context"
	"fmt"
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

// ReadRange is as [store.Store] says. It is one request, and one more where that fails:
// it reports whether the object is too short or the answer was.
func (b *Bucket) ReadRange(ctx context.Context, path string, data []byte, offset int64) error {
	end := offset + int64(len(data))
	o := &object{ctx: ctx, bucket: b, path: path, size: end}
	_, err := o.ReadAt(data, offset)
	if err == nil || ctx.Err() != nil {
		return err
	}
	file, problem := b.Open(ctx, path)
	if problem != nil {
		return problem
	}
	defer file.Close()
	if file.Size() < end {
		return fmt.Errorf("%s has %d bytes: %w", b.url(path), file.Size(), io.ErrUnexpectedEOF)
	}
	return err
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
	return b.client.NewRangeReader(ctx, b.key(path), offset, length, nil)
}
