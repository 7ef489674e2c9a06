package pixels

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The bounds of Options.MaxPixels, in pixels.
const (
	DefaultMaxPixels = 1 << 26 // 8192 × 8192
	MaxMaxPixels     = 1 << 28 // 16384 × 16384
)

func (o Options) limit() int {
	if o.MaxPixels == 0 {
		return DefaultMaxPixels
	}
	return o.MaxPixels
}

// checkPixels refuses a picture by the size that its header claims.
func (o Options) checkPixels(format string, width, height int) error {
	if width*height > o.limit() {
		return fmt.Errorf("the %s claims to be %d×%d pixels: more than %d are not decoded", format, width, height, o.limit())
	}
	return nil
}

// checkMemory refuses a picture by the memory that its decoder would take.
func (o Options) checkMemory(format string, bytes int) error {
	if limit := 8 * max(o.limit(), DefaultMaxPixels); bytes > limit {
		return fmt.Errorf("the %s takes %d MiB to decode: more than %d MiB is not taken", format, bytes>>20, limit>>20)
	}
	return nil
}

// maxDeflate is how many bytes a byte of deflated data stands for at most: two
// bits for a length of 258 and its distance.
const maxDeflate = 1032

// pngChannels are the channels of a PNG, by its colour type.
var pngChannels = [...]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

// pngSize returns the size of a PNG that may be decoded.
func (o Options) pngSize(data []byte) (width, height int, err error) {
	if len(data) < 33 { // its signature and IHDR
		return 0, 0, errors.New("the PNG is truncated")
	}
	w, h := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	if w > 1<<31-1 || h > 1<<31-1 || w == 0 || h == 0 {
		return 0, 0, fmt.Errorf("the PNG claims to be %d×%d pixels", w, h)
	}
	width, height = int(w), int(h)
	if err := o.checkPixels("PNG", width, height); err != nil {
		return 0, 0, err
	}
	depth, colour, interlaced := int(data[24]), int(data[25]), data[28] != 0
	channels := 0 // of a type that there is not: image/png refuses it
	if colour < len(pngChannels) {
		channels = pngChannels[colour]
	}
	// A row has a byte before its pixels.
	if len(data) < (height+width*height*channels*depth/8)/maxDeflate {
		return 0, 0, fmt.Errorf("the PNG has %d bytes, which cannot be %d×%d pixels", len(data), width, height)
	}
	memory := 4 // image/png's, of a pixel
	if depth == 16 {
		memory = 8
	}
	if interlaced {
		memory *= 2 // its passes are pictures, too
	}
	return width, height, o.checkMemory("PNG", (memory+3)*width*height)
}
