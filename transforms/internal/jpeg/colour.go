package jpeg

import (
	"image"
	"slices"
)

// appendLuma appends the first component's pixels: a byte each, or three times
// that byte.
func (d *decoder) appendLuma(dst []byte, single bool) []byte {
	c := &d.components[0]
	for y := range c.height {
		row := c.plane[y*c.stride:][:c.width]
		if single {
			dst = append(dst, row...)
			continue
		}
		for _, v := range row {
			dst = append(dst, v, v, v)
		}
	}
	return dst
}

func (d *decoder) appendRGB(dst []byte) []byte {
	luma, cb, cr := &d.components[0], &d.components[1], &d.components[2]
	begin := len(dst)
	dst = slices.Grow(dst, 3*luma.width*luma.height)[:begin+3*luma.width*luma.height]
	up := d.upsampling()
	for i := range d.rows {
		d.rows[i] = slices.Grow(d.rows[i][:0], luma.width+1)[:luma.width+1] // pairs, the last perhaps half outside
	}
	for y := range luma.height {
		b, r := up(cb, y, d.rows[0]), up(cr, y, d.rows[1])
		toRGB(dst[begin+3*luma.width*y:][:3*luma.width], luma.row(y), b, r)
	}
	return dst
}

// toRGB converts a row, with libjpeg's constants of 16 bits and its rounding.
func toRGB(dst, luma, cb, cr []byte) {
	const half = 1 << 15
	cb, cr, dst = cb[:len(luma)], cr[:len(luma)], dst[:3*len(luma)]
	for x, y := range luma {
		y, b, r := int32(y), int32(cb[x])-128, int32(cr[x])-128
		red := y + (91881*r+half)>>16
		green := y + (half-22554*b-46802*r)>>16
		blue := y + (116130*b+half)>>16
		if uint32(red|green|blue) > 255 {
			red, green, blue = int32(clamp(red)), int32(clamp(green)), int32(clamp(blue))
		}
		p := dst[3*x : 3*x+3 : 3*x+3]
		p[0], p[1], p[2] = uint8(red), uint8(green), uint8(blue)
	}
}

// FromPlanes appends the pixels of what image/jpeg decoded, as RGB. Chroma is
// upsampled as Decode does it.
func FromPlanes(dst []byte, img *image.YCbCr) []byte {
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	size := img.Rect.Size()
	h, v := 1, 1
	switch img.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		h = 2
	case image.YCbCrSubsampleRatio420:
		h, v = 2, 2
	case image.YCbCrSubsampleRatio440:
		v = 2
	case image.YCbCrSubsampleRatio411:
		h = 4
	case image.YCbCrSubsampleRatio410:
		h, v = 4, 2
	}
	d.n, d.size = 3, 8
	chroma := component{h: 1, v: 1, size: 8, width: ceil(size.X, h), height: ceil(size.Y, v), stride: img.CStride}
	d.components[0] = component{h: h, v: v, size: 8, width: size.X, height: size.Y, stride: img.YStride, plane: img.Y}
	d.components[1], d.components[2] = chroma, chroma
	d.components[1].plane, d.components[2].plane = img.Cb, img.Cr
	dst = d.appendRGB(dst)
	d.components = [3]component{}
	return dst
}
