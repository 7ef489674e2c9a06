package jpeg

import (
	"bytes"
	"encoding/binary"
)

// bits are taken off coded data that [unstuff] has copied.
type bits struct {
	data []byte // coded data, then padding
	pos  int    // of the next byte to be taken into acc
	acc  uint64 // the next bit is the highest
	n    int    // bits in acc that count; behind them there may be more, which are taken again
}

// padding is how many zeros stand behind the coded data: as many as a block takes at most (64 codes of 16 bits with
// values of 15), and what is read ahead.
const padding = 64*31/8 + 16

// unstuff appends the coded data at the beginning of src to dst, up to a marker or the end, without the zero that
// stands behind each 0xff, and returns how much of src that is.
func unstuff(dst, src []byte) (out []byte, n int) {
	for {
		i := bytes.IndexByte(src[n:], 0xff)
		if i < 0 {
			return append(dst, src[n:]...), len(src)
		}
		dst = append(dst, src[n:n+i]...)
		n += i
		next := n + 1
		for next < len(src) && src[next] == 0xff { // fill bytes
			next++
		}
		if next == len(src) || src[next] != 0 {
			return dst, n
		}
		dst = append(dst, 0xff)
		n = next + 1
	}
}

// begin goes on with the coded data at the beginning of src, and returns how long that is.
func (b *bits) begin(src []byte) (n int) {
	data, n := unstuff(b.data[:0], src)
	*b = bits{data: append(data, make([]byte, padding)...)}
	return n
}

// refill brings n to more than 55, which is more than a code and its value take. It is of the fields of bits, which a
// loop holds in registers.
func refill(data []byte, pos int, acc uint64, n int) (newPos int, newAcc uint64, newN int) {
	return pos + (63-n)>>3, acc | binary.BigEndian.Uint64(data[pos:])>>(n&63), n | 56
}

// overrun reports whether bits were used that are not there.
func (b *bits) overrun() bool { return 8*b.pos-b.n > 8*(len(b.data)-padding) }
