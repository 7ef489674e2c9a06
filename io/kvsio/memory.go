package kvsio

import (
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/lift"
)

// What a shard is reckoned to take of the memory budget.

// firstFrameBytes is what a frame is taken for before the first has come.
const firstFrameBytes = 200_000

// withGarbage returns what bytes in use take of a process's memory: Go's
// collector lets as much again lie about before it collects (GOGC=100), and
// half of it is made while it does.
func withGarbage(bytes int64) int64 { return bytes * 5 / 2 }

// wireBytes is what the wire of a stream's answers is reckoned to take: it has
// room for two pictures in base64, and doubles until it has.
func wireBytes(frameBytes int64) int64 { return max(lift.LeastWire, 3*frameBytes*4/3) }

// frameBytes reckons what a frame of the stream takes. It is known once the
// stream has brought some.
func (e *engine) frameBytes(s *stream) (bytes int64, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.frameBytes > 0 {
		return s.frameBytes, true
	}
	return e.lastFrameBytes, false
}

// shardBytes reckons what a shard of the stream takes while it is fetched.
func (e *engine) shardBytes(s *stream, samples int64) int64 {
	f, _ := e.frameBytes(s)
	return withGarbage(samples*f + wireBytes(f))
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
func bytesOf(shard frame.Shard) (bytes int64) {
	for _, f := range shard.Frames {
		bytes += int64(len(f.Data))
	}
	return bytes
}
