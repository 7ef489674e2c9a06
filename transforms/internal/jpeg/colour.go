package jpeg

import (
	"image"
	"slices"
)

// toRGBGo converts a row, with libjpeg's constants of 16 bits and its rounding.
func toRGBGo(dst, luma, cb, cr []byte) {
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
	d := decoders.Get().(*Decoder)
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
	d.n, d.size, d.grey = 3, 8, false
	chroma := component{h: 1, v: 1, size: 8, width: ceil(size.X, h), height: ceil(size.Y, v), stride: img.CStride}
	chroma.ring = chroma.height
	d.components[0] = component{
		h: h, v: v, size: 8, width: size.X, height: size.Y, stride: img.YStride, ring: size.Y, plane: img.Y,
	}
	d.components[1], d.components[2] = chroma, chroma
	d.components[1].plane, d.components[2].plane = img.Cb, img.Cr
	d.upsample = d.upsampling()
	d.Crop(image.Rectangle{Max: size})
	begin, stride := len(dst), d.RowBytes()
	dst = slices.Grow(dst, stride*size.Y)[:begin+stride*size.Y]
	for y := range size.Y {
		d.convert(dst[begin+stride*y:][:stride], y)
	}
	d.components = [3]component{}
	return dst
}
