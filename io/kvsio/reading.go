package kvsio

import (
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// reading is one reader of a stream: a bundle, or a page of a Paginator. What it
// concludes of the stream ends with it. Whoever comes next, in the same process or
// not, asks anew: what was wrong with the stream may have been mended, and processes
// outlive their jobs. A bundle that is retried so makes a call or a few, where
// each of its shards would have made them.
type reading struct {
	*stream

	// ifRefused is called where GetDataEndpoint is refused: tools are given a data
	// endpoint in place of the control plane's. Empty: there is none.
	ifRefused string

	// Guarded by the stream's mu.
	refusal error     // of GetDataEndpoint, where ifRefused is in its place
	dead    error     // why no call can succeed
	silence time.Time // when a call was first throttled since one succeeded
}

func (e *engine) reading(key grid.StreamKey) *reading { return &reading{stream: e.stream(key)} }

// err returns why no call of the stream can succeed, nil where it may.
func (r *reading) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dead
}

// refused returns why calls go to ifRefused, nil where they do not.
func (r *reading) refused() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusal
}

// kill takes note that no call of the stream can succeed, so that it fails
// once and not once a shard.
func (r *reading) kill(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead == nil {
		r.dead = err
	}
	clear(r.endpoints)
}

// silent returns how long throttles have been all that calls bring. It is asked
// at each of them.
func (r *reading) silent() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silence.IsZero() || r.silence.Before(r.answered) {
		r.silence = time.Now()
	}
	return time.Since(r.silence)
}
