package transforms

import (
	"fmt"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/pixels"
)

// The bounds of DecodeParams.MaxPixels, in pixels.
const (
	DefaultMaxPixels = pixels.DefaultMaxPixels // 67108864: 8192 × 8192
	MaxMaxPixels     = pixels.MaxMaxPixels     // 268435456: 16384 × 16384
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
		return fmt.Errorf("DecodeParams.MaxPixels is %d: it must be from 1 to %d, or 0 for %d", p.MaxPixels, MaxMaxPixels, DefaultMaxPixels)
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
	if p.MaxPixels != 0 && p.MaxPixels != DefaultMaxPixels {
		s += fmt.Sprintf(":max%d", p.MaxPixels)
	}
	return s
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
