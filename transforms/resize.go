package transforms

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/kvsframes/kvsframes/internal/fault"
)

// What is done where a picture has not the shape of the size asked for. Each is
// a function of Pillow's, value for value.
const (
	Stretch = "stretch" // it loses its shape: Image.resize
	Fit     = "fit"     // it keeps all of itself and is smaller in one direction: ImageOps.contain
	Crop    = "crop"    // it loses what is outside, the same on both sides: ImageOps.fit
	Pad     = "pad"     // it is fit, with black on both sides: ImageOps.pad
)

// The filters of a resize: Pillow's, which look at all pixels that go into one
// where a picture gets smaller.
const (
	Nearest    = "nearest"    // NEAREST
	Bilinear   = "bilinear"   // BILINEAR
	CatmullRom = "catmullrom" // BICUBIC
	Area       = "area"       // BOX
)

// Modes and Filters list what ResizeParams takes.
var (
	Modes   = []string{Stretch, Fit, Crop, Pad}
	Filters = []string{Nearest, Bilinear, CatmullRom, Area}
)

var filters = map[string]filter{Bilinear: bilinearFilter, CatmullRom: catmullRom, Area: boxFilter}

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
	Width, Height int    // pixels, 1 to MaxSide; required
	Mode          string // one of Modes; default DefaultMode
	Filter        string // one of Filters; default DefaultFilter
	Quality       int    // of JPEGs, 1 to 100; 0 is DefaultQuality
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
	if err := oneOf("Mode", p.Mode, Modes); err != nil {
		errs = append(errs, err)
	}
	if err := oneOf("Filter", p.Filter, Filters); err != nil {
		errs = append(errs, err)
	}
	if p.Quality < 0 || p.Quality > 100 {
		errs = append(errs, fault.New("ResizeParams.Quality", p.Quality,
			fmt.Sprintf("from 1 to 100, or 0 for %d", DefaultQuality)))
	}
	return errors.Join(errs...)
}

func oneOf(field, value string, allowed []string) error {
	for _, a := range append([]string{""}, allowed...) {
		if value == a {
			return nil
		}
	}
	return fault.New("ResizeParams."+field, strconv.Quote(value), "one of "+strings.Join(allowed, ", "))
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
			p.Mode = field
		case 1:
			p.Filter = field
		case 2:
			if p.Quality, err = strconv.Atoi(strings.TrimPrefix(field, "q")); err != nil || !strings.HasPrefix(field, "q") || p.Quality == 0 {
				return p, errResizeSyntax
			}
		}
		if field == "" {
			return p, errResizeSyntax
		}
	}
	return p, p.Validate()
}

var errResizeSyntax = errors.New("it must be WIDTHxHEIGHT[:MODE[:FILTER[:qQUALITY]]], such as 512x512:crop or 224x224:pad:bilinear:q95")

// layout is where a picture of some size goes.
type layout struct {
	width, height int // of what it is resized to
	from          box // what of it
	left, top     int // where that lies in the result, which is larger for Pad
}

// layout does the arithmetic of Pillow's ImageOps, in its order.
func (p ResizeParams) layout(width, height int) layout {
	w, h := float64(width), float64(height)
	l := layout{width: p.Width, height: p.Height, from: box{0, 0, float32(width), float32(height)}}
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
			l.from.left, l.from.right = between(left, left+keep)
		} else if have < want {
			keep := w / want
			top := float64((h - keep) * 0.5)
			l.from.top, l.from.bottom = between(top, top+keep)
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
	return scaleFor(d)
}

// scaleFor returns the largest scale of a DCT that is not above d.
func scaleFor(d int) int {
	for _, scale := range []int{8, 4, 2} {
		if d >= scale {
			return scale
		}
	}
	return 1
}

func (p ResizeParams) prepare(w *work) error {
	p = p.withDefaults()
	if err := w.decodeFor(p); err != nil {
		return err
	}
	w.pixels.replace(p.resize(&w.pixels))
	w.quality, w.stale = p.Quality, true
	w.frame.Width, w.frame.Height = int32(w.pixels.width), int32(w.pixels.height)
	return nil
}

// resize makes a new picture of one.
func (p ResizeParams) resize(in *pixels) pixels {
	l := p.layout(in.width, in.height)
	key := resamplerKey{p.Filter, l.from, in.width, in.height, l.width, l.height}
	out := pixels{width: l.width, height: l.height, data: buffer(3 * l.width * l.height)}
	switch f, ok := filters[p.Filter]; {
	case ok:
		resample(out.data[:0], in.data, 3, f, key)
	default:
		nearest(out.data[:0], in.data, key)
	}
	if p.Mode == Pad && (l.width != p.Width || l.height != p.Height) {
		padded := pixels{width: p.Width, height: p.Height, data: buffer(3 * p.Width * p.Height)}
		clear(padded.data)
		for y := range l.height {
			copy(padded.data[3*((l.top+y)*p.Width+l.left):], out.data[3*l.width*y:][:3*l.width])
		}
		out.replace(padded)
	}
	return out
}
