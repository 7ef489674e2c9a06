package pixels

import (
	"encoding/binary"
	"math"
)

// Unit writes to dst, as float32 and little-endian, the share of 255 that each value of src is.
func Unit(dst, src []byte) { unit(dst, src) }

func unitGo(dst, src []byte) {
	for i, v := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], shares[v])
	}
}

// shares is the bits of each value's share.
var shares = func() (bits [256]uint32) {
	for i := range bits {
		bits[i] = math.Float32bits(float32(i) / 255)
	}
	return bits
}()
