package pixels

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"image/png"
	"io"
	"strings"

	"github.com/kvsframes/kvsframes/transforms/internal/jpeg"
)

// Options say what is decoded, and how.
type Options struct {
	MaxPixels int  // how many pixels a picture may claim to have, up to MaxMaxPixels; 0 is DefaultMaxPixels
	Orient    bool // JPEGs are turned as their EXIF orientation says
}

// Decode decodes a JPEG or PNG at 1/denominator of its size, or in full where its
// coding does not allow for that. The denominator is 1, 2, 4 or 8.
func Decode(data []byte, o Options, denominator int) (Image, error) {
	if bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")) {
		return decodePNG(data, o)
	}
	header, err := JPEGHeader(data, o)
	if err != nil {
		return Image{}, err
	}
	var out Image
	if header.Common {
		out, err = decodeCommon(data, header, denominator)
	} else {
		out, err = decodeUncommon(data)
	}
	if err != nil {
		return Image{}, err
	}
	if o.Orient && header.Orientation != 1 {
		out.Replace(out.orient(header.Orientation))
	}
	return out, nil
}

// JPEGHeader returns the header of a JPEG that may be decoded.
func JPEGHeader(data []byte, o Options) (jpeg.Header, error) {
	header, err := jpeg.ReadHeader(data)
	if err != nil {
		return header, err
	}
	if err := o.checkPixels("JPEG", header.Width, header.Height); err != nil {
		return header, err
	}
	if err := header.Check(len(data)); err != nil {
		return header, err
	}
	if !header.Common {
		return header, o.checkMemory("JPEG", header.Memory()+3*header.Width*header.Height)
	}
	return header, nil
}

// decodeUncommon leaves progressive and CMYK JPEGs, RGB ones and rare samplings
// to image/jpeg. Their chroma is upsampled as that of others is.
func decodeUncommon(data []byte) (Image, error) {
	img, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return Image{}, fmt.Errorf("the JPEG cannot be decoded: %w", err)
	}
	size := img.Bounds().Size()
	out := New(size.X, size.Y)
	if planes, ok := img.(*image.YCbCr); ok {
		out.Data = jpeg.FromPlanes(out.Data[:0], planes)
		return out, nil
	}
	return out, out.from(img)
}

// pngEnd is the chunk that ends a PNG. One that is whole but for it is a picture.
const pngEnd = "\x00\x00\x00\x00IEND\xae\x42\x60\x82"

func decodePNG(data []byte, o Options) (Image, error) {
	width, height, err := o.pngSize(data)
	if err != nil {
		return Image{}, err
	}
	img, err := png.Decode(io.MultiReader(bytes.NewReader(data), strings.NewReader(pngEnd)))
	if err != nil {
		return Image{}, fmt.Errorf("the PNG cannot be decoded: %w", err)
	}
	out := New(width, height)
	return out, out.from(img)
}

// decodeCommon decodes a JPEG that internal/jpeg can decode.
func decodeCommon(data []byte, h jpeg.Header, denominator int) (out Image, err error) {
	out = New(h.Scaled(denominator))
	out.Data, out.Width, out.Height, err = jpeg.Decode(out.Data[:0], data, denominator, false)
	return out, err
}

// Denominator returns the largest denominator of [Decode] that is not above d.
func Denominator(d int) int {
	for _, scale := range []int{8, 4, 2} {
		if d >= scale {
			return scale
		}
	}
	return 1
}
