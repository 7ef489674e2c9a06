package pixels

import (
	"fmt"
	"image"
	"image/color"
)

// from fills p with a picture of its size, by Pillow's rules: alpha is left out
// and not composited, what a palette makes transparent keeps its colour, CMYK
// is reflected light of ink on ink. Of values of 16 bits the higher byte is taken
// (Pillow does so for colours; greys of 16 bits it cuts off at 255).
func (p *Image) from(img image.Image) error {
	at := img.Bounds().Min
	var row func(y int, dst []byte)
	switch img := img.(type) {
	case *image.Gray:
		row = func(y int, dst []byte) { grey(dst, img.Pix[img.PixOffset(at.X, at.Y+y):], 1) }
	case *image.Gray16:
		row = func(y int, dst []byte) { grey(dst, img.Pix[img.PixOffset(at.X, at.Y+y):], 2) }
	case *image.RGBA: // opaque, of PNG and JPEG
		row = func(y int, dst []byte) { colours(dst, img.Pix[img.PixOffset(at.X, at.Y+y):], 4, 1) }
	case *image.NRGBA:
		row = func(y int, dst []byte) { colours(dst, img.Pix[img.PixOffset(at.X, at.Y+y):], 4, 1) }
	case *image.RGBA64:
		row = func(y int, dst []byte) { colours(dst, img.Pix[img.PixOffset(at.X, at.Y+y):], 8, 2) }
	case *image.NRGBA64:
		row = func(y int, dst []byte) { colours(dst, img.Pix[img.PixOffset(at.X, at.Y+y):], 8, 2) }
	case *image.CMYK:
		row = func(y int, dst []byte) { inks(dst, img.Pix[img.PixOffset(at.X, at.Y+y):]) }
	case *image.Paletted:
		palette := flatten(img.Palette)
		row = func(y int, dst []byte) {
			for x, index := range img.Pix[img.PixOffset(at.X, at.Y+y):][:len(dst)/3] {
				copy(dst[3*x:], palette[index][:])
			}
		}
	default:
		return fmt.Errorf("pictures of type %T are not decoded", img)
	}
	for y := range p.Height {
		row(y, p.Data[3*p.Width*y:][:3*p.Width])
	}
	return nil
}

func grey(dst, src []byte, step int) {
	for x := range len(dst) / 3 {
		v := src[step*x]
		dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
	}
}

// colours takes three channels from pixels of step bytes, the first of each
// channel's bytes.
func colours(dst, src []byte, step, bytes int) {
	for x := range len(dst) / 3 {
		s := src[step*x:]
		dst[3*x], dst[3*x+1], dst[3*x+2] = s[0], s[bytes], s[2*bytes]
	}
}

func inks(dst, src []byte) {
	for x := range len(dst) / 3 {
		light := 255 - int(src[4*x+3])
		for c := range 3 {
			t := int(src[4*x+c])*light + 128
			dst[3*x+c] = uint8(light - (t>>8+t)>>8)
		}
	}
}

func flatten(palette color.Palette) (flat [256][3]byte) {
	for i, c := range palette {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		if exact, ok := c.(color.NRGBA); ok {
			n = exact // transparent colours are still colours
		}
		flat[i] = [3]byte{n.R, n.G, n.B}
	}
	return flat
}
