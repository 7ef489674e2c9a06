package jpeg

import (
	"encoding/binary"
	"errors"
	"image"
	"slices"
	"sync"
)

// Decoder decodes a picture, row by row from the top down. It is large, and used again.
type Decoder struct {
	header     Header
	bits       bits
	huffman    [2][4]huffman // DC, AC
	quant      [4][64]int32  // in zigzag order
	quantized  [4]bool
	components [3]component
	n          int // components
	size       int // of a block of the first one, in pixels: 8, 4, 2 or 1
	grey       bool
	block      block
	memory     []byte // of the planes
	upsample   upsampler
	chroma     [2][]byte // of one row, upsampled

	window image.Rectangle // what is read
	y      int             // of the next row to be read
	bands  int             // rows of MCUs that are decoded
	rest   []byte          // of the data, behind what bits has begun
	begun  int             // intervals between restart markers
	err    error
}

type component struct {
	h, v          int // sampling factors
	quant         *[64]int32
	dc, ac        *huffman
	pred          int32
	size          int // of a block, in pixels
	width, height int // pixels
	stride        int // of the plane
	ring          int // rows of the plane: those of the last two bands
	plane         []byte
	wanted        image.Rectangle
}

var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// Decode decodes a JPEG that is Common to RGB, three bytes a pixel, or with grey
// to its luma, one byte a pixel, at 1/denominator of its size: 1, 2, 4 or 8, and
// a size that is no multiple is rounded up. It appends the pixels to
// dst, row by row without padding.
func Decode(dst, data []byte, denominator int, grey bool) (pixels []byte, width, height int, err error) {
	d, err := Open(data, denominator, grey)
	if err != nil {
		return dst, 0, 0, err
	}
	size := d.window.Max
	stride := d.RowBytes()
	begin := len(dst)
	dst = slices.Grow(dst, stride*size.Y)[:begin+stride*size.Y]
	for y := range size.Y {
		if err := d.ReadRow(dst[begin+stride*y:][:stride]); err != nil {
			break // Close tells
		}
	}
	if err := d.Close(); err != nil {
		return dst[:begin], 0, 0, err
	}
	return dst, size.X, size.Y, nil
}

// Open begins to decode a JPEG as [Decode] does. The decoder must be closed, and the data must stay as it is until
// then.
func Open(data []byte, denominator int, grey bool) (*Decoder, error) {
	d := decoders.Get().(*Decoder)
	if err := d.begin(data, denominator, grey); err != nil {
		d.release()
		return nil, err
	}
	return d, nil
}

// release gives the decoder back, without the data.
func (d *Decoder) release() {
	d.header, d.rest = Header{}, nil
	decoders.Put(d)
}

// Close decodes what is left, which shows whether the JPEG is whole, and ends the use of the decoder. Its error is the
// first of all.
func (d *Decoder) Close() error {
	for d.err == nil && d.bands < d.totalBands() {
		d.err = d.band()
	}
	defer d.release()
	return d.err
}

// begin reads the header and lays out the planes.
func (d *Decoder) begin(data []byte, denominator int, grey bool) error {
	d.header = Header{Orientation: 1}
	d.quantized = [4]bool{}
	for class := range d.huffman {
		for i := range d.huffman[class] {
			d.huffman[class][i].defined = false
		}
	}
	h := &d.header
	if err := segments(data, h, d); err != nil {
		return err
	}
	if !h.Common {
		return errors.New("not a common JPEG")
	}
	if err := h.Check(len(data)); err != nil {
		return err
	}
	d.n, d.size = int(h.frame[5]), 8/denominator
	d.grey = grey
	d.layOut()
	d.upsample = d.upsampling()
	d.Crop(image.Rect(0, 0, d.components[0].width, d.components[0].height))
	d.bands, d.begun, d.err = 0, 0, nil
	return d.selectTables(data)
}

// layOut reckons the components' sizes, and takes memory for two bands of their planes.
func (d *Decoder) layOut() {
	h := &d.header
	hMax, vMax := 1, 1
	if d.n == 3 {
		hMax, vMax = int(h.frame[7]>>4), int(h.frame[7]&15)
	}
	columns, total := ceil(h.Width, 8*hMax), 0
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
		c.width = ceil(h.Width*c.h*c.size, 8*hMax)
		c.height = ceil(h.Height*c.v*c.size, 8*vMax)
		c.stride = columns * c.h * c.size
		c.ring = 2 * c.v * c.size
		total += c.stride * c.ring
	}
	if cap(d.memory) < total {
		d.memory = make([]byte, total)
	}
	memory := d.memory[:total]
	for i := range d.n {
		c := &d.components[i]
		c.plane, memory = memory[:c.stride*c.ring], memory[c.stride*c.ring:]
	}
}

// selectTables reads the start of scan.
func (d *Decoder) selectTables(data []byte) error {
	length := int(binary.BigEndian.Uint16(data[d.header.scan-2:])) - 2
	payload := data[d.header.scan : d.header.scan+length]
	if length != 4+2*d.n {
		return errors.New("the JPEG's scan has a wrong length")
	}
	for i := range d.n {
		c := &d.components[i]
		tables := payload[2+2*i]
		if payload[1+2*i] != d.header.frame[6+3*i] || tables>>4 > 3 || tables&15 > 3 {
			return errors.New("the JPEG's scan is not of the frame's components")
		}
		q := d.header.frame[8+3*i]
		c.quant, c.dc, c.ac = &d.quant[q], &d.huffman[0][tables>>4], &d.huffman[1][tables&15]
		c.dc.defineStandard(0, int(tables>>4))
		c.ac.defineStandard(1, int(tables&15))
		if !d.quantized[q] || !c.dc.defined || !c.ac.defined {
			return errors.New("the JPEG lacks a table")
		}
	}
	d.rest = data[d.header.scan+length:]
	return nil
}

func (d *Decoder) quantTables(payload []byte) error {
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

func ceil(a, b int) int { return (a + b - 1) / b }
