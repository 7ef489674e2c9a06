package pixels

import (
	"fmt"
	"math/bits"
	"slices"
	"sync"
)

// Image is a picture: red, green and blue of a byte each, row by row without
// padding. The zero Image is no picture.
type Image struct {
	Width, Height int
	Data          []byte // read-only once the picture is made

	borrowed bool
}

// buffers are of *[]byte, by the length of their length: pictures of one job are
// of few sizes, some before and some after a resize.
var buffers [bits.UintSize + 1]sync.Pool

// New returns a picture whose pixels are not set. Its memory exceeds its size by a
// quarter at most: so pixels that become a frame's take little more than they need.
func New(width, height int) Image {
	n := 3 * width * height
	out := Image{Width: width, Height: height}
	if b, ok := buffers[bits.Len(uint(n))].Get().(*[]byte); ok && n <= cap(*b) && cap(*b) <= n+n/4 {
		out.Data = (*b)[:n]
	} else {
		out.Data = make([]byte, n)
	}
	return out
}

// Borrow returns the picture that data is. Release leaves data alone.
func Borrow(width, height int, data []byte) (Image, error) {
	if width < 1 || height < 1 || len(data) != 3*width*height {
		return Image{}, fmt.Errorf("the frame has %d bytes, which are not %d×%d pixels of RGB", len(data), width, height)
	}
	return Image{Width: width, Height: height, Data: data, borrowed: true}, nil
}

// Borrowed reports whether the picture is from Borrow.
func (p *Image) Borrowed() bool { return p.borrowed }

// Release gives the memory back and leaves no picture. Nothing may use the pixels
// afterwards.
func (p *Image) Release() {
	if data := p.Data; data != nil && !p.borrowed {
		buffers[bits.Len(uint(cap(data)))].Put(&data)
	}
	*p = Image{}
}

// Take returns the pixels, which are the caller's from then on, and leaves no picture.
func (p *Image) Take() []byte {
	data := slices.Clip(p.Data)
	*p = Image{}
	return data
}

// Replace releases the picture and puts another in its place.
func (p *Image) Replace(with Image) {
	p.Release()
	*p = with
}
