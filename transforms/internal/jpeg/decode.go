package jpeg

import (
	"encoding/binary"
	"errors"
	"sync"
)

// decoder is what decoding a picture needs. It is large, and used again.
type decoder struct {
	Header
	bits
	huffman    [2][4]huffman // DC, AC
	quant      [4][64]int32  // in zigzag order
	quantized  [4]bool
	components [3]component
	n          int // components
	size       int // of a block of the first one, in pixels: 8, 4, 2 or 1
	block      [64]int32
	memory     []byte    // of the planes
	rows       [2][]byte // chroma of one row
}

type component struct {
	h, v          int // sampling factors
	quant         *[64]int32
	dc, ac        *huffman
	pred          int32
	size          int    // of a block, in pixels
	width, height int    // pixels
	stride        int    // of the plane
	plane         []byte // whole blocks
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// Decode decodes a JPEG that is Common to RGB, three bytes a pixel, or with grey
// to its luma, one byte a pixel, at 1/denominator of its size: 1, 2, 4 or 8, and
// a size that is no multiple is rounded up. It appends the pixels to
// dst, row by row without padding.
func Decode(dst, data []byte, denominator int, grey bool) (pixels []byte, width, height int, err error) {
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	if err := d.begin(data, denominator); err != nil {
		return dst, 0, 0, err
	}
	if err := d.scan(grey); err != nil {
		return dst, 0, 0, err
	}
	if grey || d.n == 1 {
		dst = d.appendLuma(dst, grey)
	} else {
		dst = d.appendRGB(dst)
	}
	d.data = nil
	return dst, d.components[0].width, d.components[0].height, nil
}

// begin reads the header and lays out the planes.
func (d *decoder) begin(data []byte, denominator int) error {
	d.Header = Header{Orientation: 1}
	d.quantized = [4]bool{}
	for class := range d.huffman {
		for i := range d.huffman[class] {
			d.huffman[class][i].defined = false
		}
	}
	if err := segments(data, &d.Header, d); err != nil {
		return err
	}
	if !d.Common {
		return errors.New("not a common JPEG")
	}
	d.n, d.size = int(d.frame[5]), 8/denominator
	hMax, vMax := 1, 1
	if d.n == 3 {
		hMax, vMax = int(d.frame[7]>>4), int(d.frame[7]&15)
	}
	columns, rows := ceil(d.Width, 8*hMax), ceil(d.Height, 8*vMax) // MCUs
	if err := d.Check(len(data)); err != nil {
		return err
	}
	total := 0
	for i := range d.n {
		c := &d.components[i]
		*c = component{h: 1, v: 1, size: d.size}
		if i == 0 {
			c.h, c.v = hMax, vMax
		}
		// Chroma is brought to luma's size by its DCT, not after it, where that
		// goes in both directions.
		for c.size < 8 && hMax*d.size%(c.h*c.size*2) == 0 && vMax*d.size%(c.v*c.size*2) == 0 {
			c.size *= 2
		}
		c.width = ceil(d.Width*c.h*c.size, 8*hMax)
		c.height = ceil(d.Height*c.v*c.size, 8*vMax)
		c.stride = columns * c.h * c.size
		total += c.stride * rows * c.v * c.size
	}
	if cap(d.memory) < total {
		d.memory = make([]byte, total)
	}
	memory := d.memory[:total]
	for i := range d.n {
		c := &d.components[i]
		n := c.stride * rows * c.v * c.size
		c.plane, memory = memory[:n], memory[n:]
	}
	return d.selectTables(data)
}

// selectTables reads the start of scan.
func (d *decoder) selectTables(data []byte) error {
	length := int(binary.BigEndian.Uint16(data[d.Header.scan-2:])) - 2
	payload := data[d.Header.scan : d.Header.scan+length]
	if length != 4+2*d.n {
		return errors.New("the JPEG's scan has a wrong length")
	}
	for i := range d.n {
		c := &d.components[i]
		tables := payload[2+2*i]
		if payload[1+2*i] != d.frame[6+3*i] || tables>>4 > 3 || tables&15 > 3 {
			return errors.New("the JPEG's scan is not of the frame's components")
		}
		q := d.frame[8+3*i]
		c.quant, c.dc, c.ac = &d.quant[q], &d.huffman[0][tables>>4], &d.huffman[1][tables&15]
		if !d.quantized[q] || !c.dc.defined || !c.ac.defined {
			return errors.New("the JPEG lacks a table")
		}
	}
	d.bits = bits{data: data, pos: d.Header.scan + length}
	return nil
}

func (d *decoder) quantTables(payload []byte) error {
	for len(payload) > 0 {
		wide, id := int(payload[0]>>4), payload[0]&15
		if wide > 1 || id > 3 || len(payload) < 1+64*(1+wide) {
			return errors.New("the JPEG's quantization table is malformed")
		}
		for i := range 64 {
			if wide == 1 {
				d.quant[id][i] = int32(binary.BigEndian.Uint16(payload[1+2*i:]))
			} else {
				d.quant[id][i] = int32(payload[1+i])
			}
		}
		d.quantized[id] = true
		payload = payload[1+64*(1+wide):]
	}
	return nil
}

// scan decodes all blocks into the planes; with lumaOnly those of chroma are
// passed over.
func (d *decoder) scan(lumaOnly bool) error {
	luma := &d.components[0]
	columns := luma.stride / (luma.h * luma.size)
	rows := len(luma.plane) / (luma.stride * luma.v * luma.size)
	for mcu := range columns * rows {
		if d.ri > 0 && mcu > 0 && mcu%d.ri == 0 {
			if err := d.restart(mcu/d.ri - 1); err != nil {
				return err
			}
			for i := range d.components {
				d.components[i].pred = 0
			}
		}
		x, y := mcu%columns, mcu/columns
		for i := range d.n {
			c := &d.components[i]
			for v := range c.v {
				for h := range c.h {
					last, ok := d.coefficients(c)
					if !ok {
						return errCorrupt
					}
					if d.overrun() {
						return errTruncated
					}
					if i == 0 || !lumaOnly {
						at := (y*c.v+v)*c.size*c.stride + (x*c.h+h)*c.size
						d.inverse(c.plane[at:], c.stride, c.size, last)
					}
				}
			}
		}
	}
	return nil
}

// zigzag is where the coefficients of a block lie.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// coefficients decodes and dequantizes the next block. It returns the place, in
// zigzag order, of the last one that is not zero, and whether codes made sense.
func (d *decoder) coefficients(c *component) (last int, ok bool) {
	b, q := &d.block, c.quant
	*b = [64]int32{}
	if d.bits.n < 32 {
		d.fill()
	}
	acc, n := d.acc, d.bits.n
	var size uint
	var length int
	if entry := c.dc.look[acc>>(64-lookBits)]; entry != 0 {
		size, length = uint(entry&0xff), int(entry>>8)
	} else {
		var symbol uint8
		symbol, length = c.dc.long(acc)
		size = uint(symbol)
	}
	if length == 0 || size > 15 {
		return 0, false
	}
	acc <<= uint(length) & 63
	if size > 0 {
		c.pred += extend(acc, size)
		acc <<= size & 63
	}
	n -= length + int(size)
	b[0] = c.pred * q[0]

	ac := c.ac
	for k := 1; k < 64; k++ {
		if n < 32 {
			d.acc, d.bits.n = acc, n
			d.fill()
			acc, n = d.acc, d.bits.n
		}
		at := acc >> (64 - lookBits)
		if v := ac.short[at]; v != 0 {
			k += int(v>>4) & 15
			acc <<= uint(v) & 15
			n -= int(v) & 15
			if k > 63 {
				return 0, false
			}
			b[zigzag[k&63]&63] = int32(v>>8) * q[k&63]
			last = k
			continue
		}
		var symbol uint8
		if entry := ac.look[at]; entry != 0 {
			symbol, length = uint8(entry), int(entry>>8)
		} else if symbol, length = ac.long(acc); length == 0 {
			return 0, false
		}
		acc <<= uint(length) & 63
		n -= length
		if size = uint(symbol & 15); size == 0 {
			if symbol != 0xf0 {
				break
			}
			k += 15
			continue
		}
		if k += int(symbol >> 4); k > 63 {
			return 0, false
		}
		b[zigzag[k&63]&63] = extend(acc, size) * q[k&63]
		acc <<= size & 63
		n -= int(size)
		last = k
	}
	d.acc, d.bits.n = acc, n
	return last, true
}

// extend reads a value of that many bits: those that begin with 0 are negative.
func extend(acc uint64, size uint) int32 {
	value := int32(acc >> ((64 - size) & 63))
	if acc>>63 == 0 {
		value += -1<<(size&31) + 1
	}
	return value
}

func ceil(a, b int) int { return (a + b - 1) / b }
