package store

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"
)

// UploadsAtOnce is how many objects are written or removed at once, where there are many:
// a request takes long, whatever its size.
const UploadsAtOnce = 16

// Uploads are objects of a bucket that are written at once: the object at a path, or
// those below it.
type Uploads struct {
	bucket Bucket
	path   string
	names  []string

	ctx    context.Context
	cancel context.CancelFunc // what is cancelled never appears
	group  *errgroup.Group
	single *io.SectionReader // the object at path itself
}

// NewUploads begins to write at a path. Call Finish, and Cancel in any case.
func NewUploads(ctx context.Context, bucket Bucket, path string) *Uploads {
	o := &Uploads{bucket: bucket, path: path}
	ctx, o.cancel = context.WithCancel(ctx)
	o.group, o.ctx = errgroup.WithContext(ctx)
	o.group.SetLimit(UploadsAtOnce)
	return o
}

// Create begins an object; with the name "" it is the one at the path itself. One of many is sent when it is closed,
// while others are
// written; the only one by Finish: only then it is known to be whole.
func (o *Uploads) Create(name string) (io.WriteCloser, error) {
	o.names = append(o.names, name)
	return &gathered{send: func(content *io.SectionReader) error {
		if name == "" {
			o.single = content
			return nil
		}
		o.group.Go(func() error { return o.bucket.PutFrom(o.ctx, o.path+"/"+name, content) })
		return o.ctx.Err()
	}}, nil
}

// Finish completes what is being sent, unless err says that not all of it could be
// written; it returns why.
func (o *Uploads) Finish(err error) error {
	if err == nil && o.single != nil {
		o.group.Go(func() error { return o.bucket.PutFrom(o.ctx, o.path, o.single) })
	}
	// That an upload failed ends the others, and the format, as cancelled.
	if problem := o.group.Wait(); err == nil || problem != nil && !errors.Is(problem, context.Canceled) {
		err = problem
	}
	return err
}

// Cancel ends what is being sent: what is not complete never appears. After Finish it
// does nothing.
func (o *Uploads) Cancel() { o.cancel() }

// Names returns the names that were created.
func (o *Uploads) Names() []string { return o.names }
