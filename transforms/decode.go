package transforms

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/kvsframes/kvsframes/internal/fault"
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
	if p.MaxPixels != 0 && p.MaxPixels != DefaultMaxPixels {
		s += fmt.Sprintf(":max%d", p.MaxPixels)
	}
	return s
}

var decoding = kind{meter: newMeter("decode"), parse: parseDecode}

func parseDecode(spec string) (Step, error) {
	var p DecodeParams
	rest, orient := strings.CutPrefix(spec, ":orient")
	p.Orient = orient
	if limit, ok := strings.CutPrefix(rest, ":max"); ok {
		p.MaxPixels, _ = strconv.Atoi(limit)
	}
	if p.String() != "decode"+spec {
		return p, errors.New("it must be decode[:orient][:maxPIXELS]")
	}
	return p, p.Validate()
}

func (p DecodeParams) after(f form) (form, error) {
	return form{tensor: f.tensor, pixels: true}, f.picture(p)
}

func (p DecodeParams) prepare(s *sample) error {
	if s.frame.Format == frame.RGB {
		return nil
	}
	if err := s.decode(p, 1); err != nil {
		return err
	}
	s.frame.Format = frame.RGB
	return nil
}
