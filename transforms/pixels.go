package transforms

import (
	"math/bits"
	"slices"
	"sync"
)

// pixels is a picture: red, green and blue of a byte each, row by row without
// padding. A step never writes to pixels that it was given.
type pixels struct {
	width, height int
	data          []byte
	borrowed      bool // data is a frame's
}

// buffers are of *[]byte, by the length of their length: pictures of one job are
// of few sizes, some before and some after a resize.
var buffers [bits.UintSize + 1]sync.Pool

// buffer returns memory for n bytes, of which a quarter more is there at most:
// so pixels that become a frame's take little more than they need.
func buffer(n int) []byte {
	if b, ok := buffers[bits.Len(uint(n))].Get().(*[]byte); ok && n <= cap(*b) && cap(*b) <= n+n/4 {
		return (*b)[:n]
	}
	return make([]byte, n)
}

// release gives the memory back. Nothing may use the pixels from here on.
func (p *pixels) release() {
	if p.borrowed || p.data == nil {
		return
	}
	data := p.data
	buffers[bits.Len(uint(cap(data)))].Put(&data)
	*p = pixels{}
}

// own returns the pixels as memory that is a frame's from here on.
func (p *pixels) own() []byte {
	data := slices.Clip(p.data)
	*p = pixels{}
	return data
}

// replace releases the pixels and takes others in their place.
func (p *pixels) replace(with pixels) {
	p.release()
	*p = with
}
