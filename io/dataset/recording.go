package dataset

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// What a bundle holds of shards that wait for the disk.
const (
	recordingShards = 4
	recordingBytes  = 64 << 20 // of pictures; a shard that is larger waits alone
)

// recording is the shards of a bundle that are written and not yet recorded.
type recording struct {
	room *semaphore.Weighted
	all  sync.WaitGroup

	mu  sync.Mutex
	err error // the first
}

func newRecording() *recording { return &recording{room: semaphore.NewWeighted(recordingBytes)} }

// add records a shard while others are written, once there is room for it. The error is that
// of a shard that could not be recorded, maybe an earlier one.
func (r *recording) add(ctx context.Context, bytes int64, record func() (*framepb.Receipt, error)) error {
	weight := min(max(bytes, recordingBytes/recordingShards), recordingBytes)
	if err := r.room.Acquire(ctx, weight); err != nil {
		weight = 0
		r.fail(err)
	}
	r.all.Go(func() {
		defer r.room.Release(weight)
		if _, err := record(); err != nil {
			r.fail(err)
		}
	})
	return r.failed()
}

// wait waits until all shards are recorded, and returns the first error.
func (r *recording) wait() error {
	r.all.Wait()
	return r.failed()
}

func (r *recording) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

func (r *recording) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}
