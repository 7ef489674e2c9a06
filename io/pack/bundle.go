package pack

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// The bounds of what a process packs at once, over all bundles in it. A file of its
// own is read and hashed by many goroutines and written by one, so more than a few
// files at once gain nothing.
const (
	filesAtOnce  = 8
	framesAtOnce = 200_000
)

var framesRoom = semaphore.NewWeighted(framesAtOnce)

// roomOf is what a file takes of framesRoom.
func roomOf(frames int64) int64 {
	files := int64(min(runtime.GOMAXPROCS(0), filesAtOnce))
	return min(max(frames, framesAtOnce/files), framesAtOnce)
}

// writtenFile is what became of a file of the set.
type writtenFile struct {
	number, frames, bytes int64
	there                 bool // before
}

// bundle is the files of a bundle that are being written: a runner may give all
// files of a set to one bundle, whose elements come one after the other. Only the
// bundle's own goroutine calls its methods. The zero value is ready.
type bundle struct {
	ctx    context.Context // done where a file has failed
	cancel context.CancelFunc
	group  *errgroup.Group

	mu      sync.Mutex
	written []writtenFile
}

// enter waits until there is room for one more file. It returns what gives the room
// back, or why a file before it has failed.
func (b *bundle) enter(ctx context.Context, frames int64) (leave func(), err error) {
	if b.group == nil {
		ctx, b.cancel = context.WithCancel(ctx)
		b.group, b.ctx = errgroup.WithContext(ctx)
	}
	room := roomOf(frames)
	err = framesRoom.Acquire(b.ctx, room)
	if err == nil && b.ctx.Err() != nil { // there was room all the same
		framesRoom.Release(room)
		err = b.ctx.Err()
	}
	if err != nil {
		if _, failed := b.wait(); failed != nil {
			err = failed
		}
		return nil, err
	}
	return func() { framesRoom.Release(room) }, nil
}

// write begins to write a file that has entered.
func (b *bundle) write(leave func(), write func(context.Context) (writtenFile, error)) {
	b.group.Go(func() error {
		defer leave()
		file, err := write(b.ctx)
		if err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.written = append(b.written, file)
		return nil
	})
}

// wait ends the bundle when all its files are written, or one has failed and nothing
// is being written any more. It returns those that are written.
func (b *bundle) wait() ([]writtenFile, error) {
	if b.group == nil {
		return nil, nil
	}
	err := b.group.Wait()
	b.cancel()
	written := b.written
	b.ctx, b.cancel, b.group, b.written = nil, nil, nil, nil
	return written, err
}

// abandon ends the bundle and what is being written.
func (b *bundle) abandon() {
	if b.group != nil {
		b.cancel()
		b.wait()
	}
}
