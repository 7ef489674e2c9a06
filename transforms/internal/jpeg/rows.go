package jpeg

import (
	"image"
	"slices"
)

// Size returns the size of the whole picture at the denominator, in pixels.
func (d *Decoder) Size() (width, height int) { return d.components[0].width, d.components[0].height }

// RowBytes returns how long a row is.
func (d *Decoder) RowBytes() int {
	if d.grey {
		return d.window.Dx()
	}
	return 3 * d.window.Dx()
}

// Crop has [Decoder.ReadRow] read the part of the picture that lies in window, which must not be empty. It must be
// called before the first row is read.
func (d *Decoder) Crop(window image.Rectangle) {
	d.window, d.y = window, window.Min.Y
	across, along := d.subsampled()
	d.components[0].wanted = window
	for i := 1; i < d.n; i++ {
		c := &d.components[i]
		c.wanted = image.Rectangle{}
		if !d.grey { // with a neighbour on each side
			c.wanted = image.Rectangle{
				Min: image.Pt(max(0, window.Min.X/across-1), max(0, window.Min.Y/along-1)),
				Max: image.Pt(min(c.width, (window.Max.X-1)/across+2), min(c.height, (window.Max.Y-1)/along+2)),
			}
		}
	}
}

// ReadRow writes the next row's pixels to dst. There must be one.
func (d *Decoder) ReadRow(dst []byte) error {
	for d.err == nil && d.y >= d.decodedRows() {
		d.err = d.band()
	}
	if d.err != nil {
		return d.err
	}
	d.convert(dst, d.y)
	d.y++
	return nil
}

// decodedRows returns up to which row all is decoded that the rows are made of.
func (d *Decoder) decodedRows() int {
	luma := &d.components[0]
	rows := d.bands * luma.v * luma.size
	if _, along := d.subsampled(); along > 1 && rows < luma.height {
		rows -= along // the row of chroma that follows is needed
	}
	return rows
}

func (d *Decoder) totalBands() int {
	luma := &d.components[0]
	return ceil(luma.height, luma.v*luma.size)
}

// band decodes the next row of MCUs into the planes.
func (d *Decoder) band() error {
	columns := d.components[0].stride / (d.components[0].h * d.components[0].size)
	for x := range columns {
		if err := d.beginInterval(d.bands*columns + x); err != nil {
			return err
		}
		for i := range d.n {
			c := &d.components[i]
			for v := range c.v {
				for h := range c.h {
					if err := d.blockAt((x*c.h+h)*c.size, (d.bands*c.v+v)*c.size, c); err != nil {
						return err
					}
				}
			}
		}
	}
	d.bands++
	return nil
}

// beginInterval begins an interval between restart markers where an MCU is its first.
func (d *Decoder) beginInterval(mcu int) error {
	if mcu > 0 && (d.header.ri == 0 || mcu%d.header.ri != 0) {
		return nil
	}
	if d.begun > 0 {
		if err := d.restart(d.begun - 1); err != nil {
			return err
		}
	}
	d.rest = d.rest[d.bits.begin(d.rest):]
	d.begun++
	for i := range d.components {
		d.components[i].pred = 0
	}
	return nil
}

// restart goes on behind the restart marker of that number.
func (d *Decoder) restart(number int) error {
	at := 0
	for at+1 < len(d.rest) && (d.rest[at] != 0xff || d.rest[at+1] == 0 || d.rest[at+1] == 0xff) {
		at++
	}
	if at+1 >= len(d.rest) {
		return errTruncated
	}
	if d.rest[at+1] != 0xd0+byte(number&7) {
		return errCorrupt
	}
	d.rest = d.rest[at+2:]
	return nil
}

// blockAt decodes the next block, which is of the component's pixels at x, y.
func (d *Decoder) blockAt(x, y int, c *component) error {
	last, ok := d.coefficients(c)
	if !ok {
		return errCorrupt
	}
	if d.bits.overrun() {
		return errTruncated
	}
	w := &c.wanted
	if x >= w.Max.X || y >= w.Max.Y || x+c.size <= w.Min.X || y+c.size <= w.Min.Y {
		return nil
	}
	dst := c.plane[(y-d.bands&^1*c.v*c.size)*c.stride+x:] // y modulo the ring, which is of two bands
	if last == 0 || c.size == 1 {
		plain(dst, c.stride, c.size, d.block[0])
	} else {
		inverse(dst, c.stride, c.size, &d.block)
	}
	return nil
}

// convert writes a row's pixels to dst.
func (d *Decoder) convert(dst []byte, y int) {
	left, right := d.window.Min.X, d.window.Max.X
	luma := d.components[0].row(y)[left:right]
	switch {
	case d.grey:
		copy(dst, luma)
		return
	case d.n == 1:
		for x, v := range luma {
			p := dst[3*x : 3*x+3 : 3*x+3]
			p[0], p[1], p[2] = v, v, v
		}
		return
	}
	across, _ := d.subsampled()
	var chroma [2][]byte
	for i := range chroma {
		c := &d.components[1+i]
		from, to := c.wanted.Min.X, c.wanted.Max.X
		d.chroma[i] = slices.Grow(d.chroma[i][:0], across*(to-from))
		chroma[i] = d.upsample(c, y, from, to, d.chroma[i])[left-across*from:]
	}
	toRGB(dst, luma, chroma[0], chroma[1])
}
