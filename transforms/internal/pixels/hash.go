package pixels

import (
	"slices"
	"sync"

	"github.com/kvsframes/kvsframes/transforms/internal/jpeg"
)

// lumas holds luma that is being hashed.
var lumas = sync.Pool{New: func() any { return new([]byte) }}

// HashJPEG returns the dhash of what Pillow loads of a JPEG after draft("L", (72, 64)),
// and ok false where the JPEG's coding does not allow for that.
func HashJPEG(data []byte) (hash uint64, ok bool, err error) {
	header, err := JPEGHeader(data, Options{})
	if err != nil || !header.Common {
		return 0, false, err
	}
	memory := lumas.Get().(*[]byte)
	defer lumas.Put(memory)
	denominator := Denominator(min(header.Width/72, header.Height/64))
	luma, width, height, err := jpeg.Decode((*memory)[:0], data, denominator, true)
	*memory = luma
	if err != nil {
		return 0, false, err
	}
	return dhash(luma, width, height), true, nil
}

// Hash returns the dhash of a picture.
func (p *Image) Hash() uint64 {
	memory := lumas.Get().(*[]byte)
	defer lumas.Put(memory)
	*memory = p.luma(*memory)
	return dhash(*memory, p.Width, p.Height)
}

// luma puts the picture in grey, as Pillow makes it, over dst.
func (p *Image) luma(dst []byte) []byte {
	n := p.Width * p.Height
	dst = slices.Grow(dst[:0], n)[:n]
	for i := range dst {
		s := p.Data[3*i : 3*i+3 : 3*i+3]
		dst[i] = uint8((19595*uint32(s[0]) + 38470*uint32(s[1]) + 7471*uint32(s[2]) + 1<<15) >> 16)
	}
	return dst
}

// dhash is 8 × 8 bits, each of which reports whether the picture gets lighter to the
// right there. The first place is the highest bit.
func dhash(luma []byte, width, height int) (hash uint64) {
	var small [9 * 8]byte
	resample(small[:], luma, resamplerKey{Lanczos, Rect{0, 0, float32(width), float32(height)}, width, height, 9, 8, 1})
	for y := range 8 {
		for x := range 8 {
			hash <<= 1
			if small[9*y+x+1] > small[9*y+x] {
				hash |= 1
			}
		}
	}
	return hash
}
