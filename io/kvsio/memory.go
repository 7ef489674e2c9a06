package kvsio

import "github.com/kvsframes/kvsframes/io/framepb"

// What a shard is reckoned to take of the memory budget.

const (
	// firstFrameBytes is what a frame is taken for before the first has come.
	firstFrameBytes = 200_000

	// garbage is how much memory goes with a byte that is in use: Go's collector
	// lets as much again lie about before it collects (GOGC=100).
	garbage = 2
)

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
	return garbage * (samples*frame + wireBytes(frame))
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
