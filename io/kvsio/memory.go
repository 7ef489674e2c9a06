package kvsio

import (
	"bytes"
	"sync"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// What a shard is reckoned to take of the memory budget.

const (
	// firstFrameBytes is what a frame is taken for before the first has come.
	firstFrameBytes = 200_000
)

// withGarbage returns what bytes in use take of a process's memory: Go's
// collector lets as much again lie about before it collects (GOGC=100), and
// half of it is made while it does.
func withGarbage(bytes int64) int64 { return bytes * 5 / 2 }

// wireBytes is what a page of frames takes while it is read: base64.
func wireBytes(frameBytes int64) int64 { return pageSize * frameBytes * 4 / 3 }

// frameBytes reckons what a frame of the stream takes.
func (e *engine) frameBytes(s *stream) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.frameBytes > 0 {
		return s.frameBytes
	}
	return e.lastFrameBytes
}

// shardBytes reckons what a shard of the stream takes while it is fetched.
func (e *engine) shardBytes(s *stream, samples int64) int64 {
	frame := e.frameBytes(s)
	return withGarbage(samples*frame + wireBytes(frame))
}

// learn takes note of what the frames of a page took.
func (e *engine) learn(s *stream, bytes, frames int64) {
	if frames == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	last := s.frameBytes
	if last == 0 {
		last = bytes / frames
	}
	s.frameBytes = (3*last + bytes/frames) / 4
	e.lastFrameBytes = s.frameBytes
}

// bytesOf returns what a shard's frames take.
func bytesOf(shard framepb.Shard) (bytes int64) {
	for _, f := range shard.Frames {
		bytes += int64(len(f.Data))
	}
	return bytes
}

// wires are the buffers that answers are read into. There are no more of them
// than shards that are being fetched, whose shares of the memory budget they
// are part of; a pool of the language's would keep those of busier times.
type wires struct {
	mu    sync.Mutex
	users int
	free  []*bytes.Buffer
}

// spareWires are kept when nothing is fetched: the next shard is near.
const spareWires = 2

// use takes note of a shard that is being fetched, until done is called.
func (w *wires) use() (done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.users++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.users--
		if most := max(w.users, spareWires); len(w.free) > most {
			clear(w.free[most:])
			w.free = w.free[:most]
		}
	}
}

func (w *wires) get() *bytes.Buffer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.free) == 0 {
		return new(bytes.Buffer)
	}
	last := w.free[len(w.free)-1]
	w.free = w.free[:len(w.free)-1]
	return last
}

func (w *wires) put(b *bytes.Buffer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free = append(w.free, b)
}
