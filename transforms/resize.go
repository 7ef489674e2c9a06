package transforms

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/transforms/internal/pixels"
)

// ResizeMode is what is done where a picture has not the shape of the size asked for.
type ResizeMode string

// The modes of a resize, each a function of Pillow's, value for value.
const (
	Stretch ResizeMode = "stretch" // it loses its shape: Image.resize
	Fit     ResizeMode = "fit"     // it keeps all of itself and is smaller in one direction: ImageOps.contain
	Crop    ResizeMode = "crop"    // it loses what is outside, the same on both sides: ImageOps.fit
	Pad     ResizeMode = "pad"     // it is fit, with black on both sides: ImageOps.pad
)

// ResizeFilter is how pixels are made of those that go into them.
type ResizeFilter string

// The filters of a resize: Pillow's, which look at all pixels that go into one
// where a picture gets smaller.
const (
	Nearest    ResizeFilter = "nearest"    // NEAREST
	Bilinear   ResizeFilter = "bilinear"   // BILINEAR
	CatmullRom ResizeFilter = "catmullrom" // BICUBIC
	Area       ResizeFilter = "area"       // BOX
)

// Modes and Filters list what ResizeParams takes.
var (
	Modes   = []ResizeMode{Stretch, Fit, Crop, Pad}
	Filters = []ResizeFilter{Nearest, Bilinear, CatmullRom, Area}
)

var filters = map[ResizeFilter]*pixels.Filter{
	Nearest: pixels.Nearest, Bilinear: pixels.Bilinear,
	CatmullRom: pixels.CatmullRom, Area: pixels.Box,
}

// The bounds and defaults of ResizeParams.
const (
	MaxSide        = 16384 // pixels
	DefaultMode    = Stretch
	DefaultFilter  = Area
	DefaultQuality = 90
)

// ResizeParams are the parameters of [Resize], and as a [Step] resize pictures.
// A frame keeps its format: JPEGs and PNGs are encoded again when all steps are
// done, unless a decode or a tensor step has made pixels of them.
type ResizeParams struct {
	Width, Height int          // pixels, 1 to MaxSide; required
	Mode          ResizeMode   // one of Modes; default DefaultMode
	Filter        ResizeFilter // one of Filters; default DefaultFilter
	Quality       int          // of JPEGs, 1 to 100; 0 is DefaultQuality
}

// Validate returns an error that names each field that is wrong.
func (p ResizeParams) Validate() error {
	var errs []error
	for _, side := range []struct {
		name   string
		pixels int
	}{{"Width", p.Width}, {"Height", p.Height}} {
		if side.pixels < 1 || side.pixels > MaxSide {
			errs = append(errs, fault.New("ResizeParams."+side.name, side.pixels, fmt.Sprintf("from 1 to %d pixels", MaxSide)))
		}
	}
	if p.Width > 0 && p.Height > 0 && p.Width <= MaxSide && p.Height <= MaxSide && p.Width*p.Height > DefaultMaxPixels {
		errs = append(errs, fault.Of("ResizeParams", " are %d×%d: they must be at most %d pixels together",
			p.Width, p.Height, DefaultMaxPixels))
	}
	if err := oneOf("ResizeParams.Mode", p.Mode, Modes); err != nil {
		errs = append(errs, err)
	}
	if err := oneOf("ResizeParams.Filter", p.Filter, Filters); err != nil {
		errs = append(errs, err)
	}
	if p.Quality < 0 || p.Quality > 100 {
		errs = append(errs, fault.New("ResizeParams.Quality", p.Quality,
			fmt.Sprintf("from 1 to 100, or 0 for %d", DefaultQuality)))
	}
	return errors.Join(errs...)
}

// oneOf returns an error where a value is neither empty nor allowed.
func oneOf[T ~string](field string, value T, allowed []T) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return fault.New(field, strconv.Quote(string(value)), "one of "+fault.List(allowed))
}

// withDefaults fills in what is left out.
func (p ResizeParams) withDefaults() ResizeParams {
	if p.Mode == "" {
		p.Mode = DefaultMode
	}
	if p.Filter == "" {
		p.Filter = DefaultFilter
	}
	if p.Quality == 0 {
		p.Quality = DefaultQuality
	}
	return p
}

// String describes the step in one line, all defaults told:
// "resize 512x512:crop:area:q90".
func (p ResizeParams) String() string { return "resize " + p.spec() }

func (p ResizeParams) spec() string {
	p = p.withDefaults()
	return fmt.Sprintf("%dx%d:%s:%s:q%d", p.Width, p.Height, p.Mode, p.Filter, p.Quality)
}

// ParseResize reads WIDTHxHEIGHT[:MODE[:FILTER[:qQUALITY]]], as in "512x512:crop"
// and "224x224:pad:bilinear:q95". What it returns is valid.
func ParseResize(s string) (ResizeParams, error) {
	fields := strings.Split(s, ":")
	width, height, ok := strings.Cut(fields[0], "x")
	var p ResizeParams
	var err error
	if p.Width, err = strconv.Atoi(width); err != nil || !ok {
		return p, errResizeSyntax
	}
	if p.Height, err = strconv.Atoi(height); err != nil || len(fields) > 4 {
		return p, errResizeSyntax
	}
	for i, field := range fields[1:] {
		switch i {
		case 0:
			p.Mode = ResizeMode(field)
		case 1:
			p.Filter = ResizeFilter(field)
		case 2:
			if p.Quality, err = strconv.Atoi(strings.TrimPrefix(field, "q")); err != nil || !strings.HasPrefix(field, "q") ||
				p.Quality == 0 {
				return p, errResizeSyntax
			}
		}
		if field == "" {
			return p, errResizeSyntax
		}
	}
	return p, p.Validate()
}

var errResizeSyntax = errors.New("it must be WIDTHxHEIGHT[:MODE[:FILTER[:qQUALITY]]], such as 512x512:crop or " +
	"224x224:pad:bilinear:q95")

// layout is where a picture of some size goes.
type layout struct {
	width, height int         // of what it is resized to
	from          pixels.Rect // what of it
	left, top     int         // where that lies in the result, which is larger for Pad
}

// layout does the arithmetic of Pillow's ImageOps, in its order.
func (p ResizeParams) layout(width, height int) layout {
	w, h := float64(width), float64(height)
	l := layout{width: p.Width, height: p.Height, from: pixels.Rect{Right: float32(width), Bottom: float32(height)}}
	have, want := w/h, float64(p.Width)/float64(p.Height)
	switch p.Mode {
	case Fit, Pad:
		if have > want {
			l.height = max(1, int(math.RoundToEven(float64(h/w)*float64(p.Width))))
		} else if have < want {
			l.width = max(1, int(math.RoundToEven(float64(w/h)*float64(p.Height))))
		}
		if p.Mode == Pad {
			l.left = int(math.RoundToEven(float64(p.Width-l.width) * 0.5))
			l.top = int(math.RoundToEven(float64(p.Height-l.height) * 0.5))
		}
	case Crop:
		if have > want {
			keep := float64(want * h)
			left := float64((w - keep) * 0.5)
			l.from.Left, l.from.Right = between(left, left+keep)
		} else if have < want {
			keep := w / want
			top := float64((h - keep) * 0.5)
			l.from.Top, l.from.Bottom = between(top, top+keep)
		}
	}
	return l
}

// between is two edges of a box, never the same: where Pillow refuses to look at
// nothing, we look at the pixel there.
func between(from, to float64) (float32, float32) {
	return float32(from), max(float32(to), math.Nextafter32(float32(from), math.MaxFloat32))
}

// denominator returns how much smaller a picture may be decoded: what is left
// has at least twice the pixels of the result in each direction, as with
// Pillow's Image.draft.
func (p ResizeParams) denominator(width, height int) int {
	l := p.layout(width, height)
	d := min(width/(2*l.width), height/(2*l.height))
	if p.Filter == Nearest {
		return 1
	}
	return pixels.Denominator(d)
}

var resizing = kind{meter: newMeter("resize"), parse: func(spec string) (Step, error) { return ParseResize(spec) }}

func (p ResizeParams) after(f form) (form, error) { return f, f.picture(p) }

func (p ResizeParams) prepare(s *sample) error {
	p = p.withDefaults()
	if err := s.resize(p); err != nil {
		return err
	}
	s.quality, s.stale = p.Quality, true
	s.frame.Width, s.frame.Height = int32(s.pixels.Width), int32(s.pixels.Height)
	return nil
}

// resize makes a new picture of one.
func (p ResizeParams) resize(in *pixels.Image) pixels.Image {
	l := p.layout(in.Width, in.Height)
	return p.pad(in.Resize(filters[p.Filter], l.from, l.width, l.height), l)
}

// pad puts a picture that is resized in the middle of the result, for Pad.
func (p ResizeParams) pad(out pixels.Image, l layout) pixels.Image {
	if p.Mode == Pad && (l.width != p.Width || l.height != p.Height) {
		padded := pixels.New(p.Width, p.Height)
		clear(padded.Data)
		for y := range l.height {
			copy(padded.Data[3*((l.top+y)*p.Width+l.left):], out.Data[3*l.width*y:][:3*l.width])
		}
		out.Replace(padded)
	}
	return out
}
