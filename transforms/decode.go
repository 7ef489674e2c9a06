package transforms

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"image/png"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/jpeg"
)

// The bounds of DecodeParams.MaxPixels, in pixels.
const (
	DefaultMaxPixels = 1 << 26 // 8192 × 8192
	MaxMaxPixels     = 1 << 28 // 16384 × 16384
)

// DecodeParams are the parameters of [Decode], and as a [Step] decode pictures
// to pixels: frames of [frame.RGB].
type DecodeParams struct {
	// MaxPixels is how many pixels a picture may claim to have. One that claims
	// more becomes a gap, before any memory is taken for it, and so does one that
	// takes more memory to decode than 512 MiB, or 8 bytes for each of MaxPixels
	// where that is more: of progressive JPEGs, CMYK ones and PNGs of 16 bits or
	// interlaced, those of some 20 million pixels and more.
	// 1 to MaxMaxPixels; 0 is DefaultMaxPixels. Without a decode step other steps use the default.
	MaxPixels int
	// Orient turns JPEGs as their EXIF orientation says. By default pixels are
	// as they are stored, as those of Pillow and most readers are.
	Orient bool
}

// Validate returns an error that names each field that is wrong.
func (p DecodeParams) Validate() error {
	if p.MaxPixels < 0 || p.MaxPixels > MaxMaxPixels {
		return fault.New("DecodeParams.MaxPixels", p.MaxPixels,
			fmt.Sprintf("from 1 to %d, or 0 for %d", MaxMaxPixels, DefaultMaxPixels))
	}
	return nil
}

// String describes the step in one line: "decode", with ":orient" and
// ":max67108864" where these are not the default.
func (p DecodeParams) String() string {
	s := "decode"
	if p.Orient {
		s += ":orient"
	}
	if p.limit() != DefaultMaxPixels {
		s += fmt.Sprintf(":max%d", p.MaxPixels)
	}
	return s
}

func (p DecodeParams) limit() int {
	if p.MaxPixels == 0 {
		return DefaultMaxPixels
	}
	return p.MaxPixels
}

func (p DecodeParams) prepare(w *work) error {
	if w.frame.Format == frame.RGB {
		return nil
	}
	if err := w.decode(p, 1); err != nil {
		return err
	}
	w.frame.Format = frame.RGB
	return nil
}

// decodePicture decodes a JPEG or PNG at 1/denominator of its size, or in full
// where its coding does not allow for that.
func decodePicture(data []byte, p DecodeParams, denominator int) (pixels, error) {
	if bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")) {
		return decodePNG(data, p)
	}
	header, err := jpegHeader(data, p)
	if err != nil {
		return pixels{}, err
	}
	var out pixels
	if header.Common {
		out, err = decodeCommon(data, header, denominator)
	} else {
		out, err = decodeUncommon(data)
	}
	if err != nil {
		return pixels{}, err
	}
	if p.Orient && header.Orientation != 1 {
		turned := out.turn(header.Orientation)
		out.release()
		out = turned
	}
	return out, nil
}

func jpegHeader(data []byte, p DecodeParams) (jpeg.Header, error) {
	header, err := jpeg.ReadHeader(data)
	if err != nil {
		return header, err
	}
	if err := p.checkPixels("JPEG", header.Width, header.Height); err != nil {
		return header, err
	}
	if err := header.Check(len(data)); err != nil {
		return header, err
	}
	if !header.Common {
		return header, p.checkMemory("JPEG", header.Memory()+3*header.Width*header.Height)
	}
	return header, nil
}

// decodeUncommon leaves progressive and CMYK JPEGs, RGB ones and rare samplings
// to image/jpeg. Their chroma is upsampled as that of others is.
func decodeUncommon(data []byte) (pixels, error) {
	img, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return pixels{}, fmt.Errorf("the JPEG cannot be decoded: %w", err)
	}
	size := img.Bounds().Size()
	out := pixels{width: size.X, height: size.Y, data: buffer(3 * size.X * size.Y)}
	if planes, ok := img.(*image.YCbCr); ok {
		out.data = jpeg.FromPlanes(out.data[:0], planes)
		return out, nil
	}
	return out, out.from(img)
}

func decodePNG(data []byte, p DecodeParams) (pixels, error) {
	width, height, err := p.pngSize(data)
	if err != nil {
		return pixels{}, err
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return pixels{}, fmt.Errorf("the PNG cannot be decoded: %w", err)
	}
	out := pixels{width: width, height: height, data: buffer(3 * width * height)}
	return out, out.from(img)
}

// decodePure decodes without cgo.
func decodePure(data []byte, h jpeg.Header, denominator int) (pixels, error) {
	width, height := h.Scaled(denominator)
	dst := buffer(3 * width * height)
	dst, width, height, err := jpeg.Decode(dst[:0], data, denominator, false)
	return pixels{width: width, height: height, data: dst}, err
}
