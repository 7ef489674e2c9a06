package kvstest

import (
	"image"
	"image/color"
	"math"
	"sync"
	"time"
)

// scene draws a stream's pictures. What never changes is drawn once for each
// size and copied; a frame adds sun, cart, time and timecode.
type scene struct {
	name          string
	code          uint32
	width, height int // where none is asked
	kept          *caches
}

type backdropKey struct {
	scene *scene
	size  image.Point
}

// backdrop is all of a picture that does not change, and canvases of its size.
type backdrop struct {
	img      *image.YCbCr
	canvases sync.Pool
}

func newScene(name string, width, height int, kept *caches) *scene {
	return &scene{name, StreamCode(name), width, height, kept}
}

func (s *scene) picture(frame int64, spec pictureSpec) ([]byte, error) {
	if spec.width == 0 {
		spec.width, spec.height = s.width, s.height
	}
	return s.kept.encoded.get(encodedKey{s, frame, spec}, func() ([]byte, error) {
		size := image.Pt(spec.width, spec.height)
		back, _ := s.kept.backdrops.get(backdropKey{s, size}, func() (*backdrop, error) { return s.drawBackdrop(size), nil })
		canvas := back.canvases.Get().(*image.YCbCr)
		defer back.canvases.Put(canvas)
		copy(canvas.Y, back.img.Y)
		copy(canvas.Cb, back.img.Cb)
		copy(canvas.Cr, back.img.Cr)
		s.drawFrame(canvas, frame)
		raw, err := encode(canvas, spec)
		return toBase64(raw), err
	})
}

var (
	ink    = color.YCbCr{Y: 235, Cb: 128, Cr: 128}
	shadow = color.YCbCr{Y: 40, Cb: 128, Cr: 128}
)

// drawFrame draws what changes from frame to frame.
func (s *scene) drawFrame(img *image.YCbCr, frame int64) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	across := float64(frame%60_000) / 60_000 // the sun crosses the sky in a minute
	sun := image.Pt(int(across*float64(w)), int(float64(h)*(0.45-0.25*math.Sin(across*math.Pi))))
	drawDisc(img, sun, max(h/14, 2), color.YCbCr{Y: 210, Cb: 40, Cr: 160})
	along := float64(frame%7_000) / 7_000 // the cart drives by every 7 seconds
	cart := image.Pt(int(along*float64(w+w/8))-w/8, h*14/20)
	fill(img, image.Rectangle{cart, cart.Add(image.Pt(w/8, h/20))}, color.YCbCr{Y: 90, Cb: 100, Cr: 200})
	stamp := time.UnixMilli(frame).UTC().Format("2006-01-02 15:04:05.000")
	s.write(img, stamp, 1)
	drawTimecode(img, Timecode{s.code, time.UnixMilli(frame)})
}

// write writes a line of text in the upper left corner.
func (s *scene) write(img *image.YCbCr, text string, line int) {
	scale := max(1, min(img.Rect.Dx()/256, img.Rect.Dy()/144))
	at := image.Pt(4*scale, (4+line*glyphStepY)*scale)
	write(img, text, at.Add(image.Pt(scale, scale)), scale, shadow)
	write(img, text, at, scale, ink)
}

// drawBackdrop draws sky, two ranges of hills, a field and the stream's name,
// in colours and shapes of the stream's own.
func (s *scene) drawBackdrop(size image.Point) *backdrop {
	img := image.NewYCbCr(image.Rectangle{Max: size}, image.YCbCrSubsampleRatio420)
	w, h := float64(size.X), float64(size.Y)
	hue := float64(s.code%360) * math.Pi / 180
	tint := func(strength float64) uint8 { return uint8(128 + strength) }
	for y := range size.Y {
		down := float64(y) / h
		fill(img, image.Rect(0, y, size.X, y+1),
			color.YCbCr{Y: uint8(110 + 90*down), Cb: tint(30 * (1 - down)), Cr: tint(18 * math.Sin(hue))})
	}
	phase := float64(s.code>>8%1000) / 1000 * 2 * math.Pi
	hills := []struct {
		level, swing, waves float64
		shade               color.YCbCr
	}{
		{0.55, 0.09, 2, color.YCbCr{Y: 120, Cb: 140, Cr: tint(10 * math.Cos(hue))}},
		{0.64, 0.06, 3, color.YCbCr{Y: 85, Cb: 110, Cr: tint(-14 + 8*math.Cos(hue))}},
		{0.75, 0, 0, color.YCbCr{Y: 60, Cb: 112, Cr: 118}},
	}
	for _, hill := range hills {
		for x := range size.X {
			at := float64(x) / w * 2 * math.Pi
			top := hill.level + hill.swing*(math.Sin(hill.waves*at+phase)+0.4*math.Sin(2.7*hill.waves*at+2*phase))
			fill(img, image.Rect(x, int(top*h), x+1, size.Y), hill.shade)
		}
	}
	s.write(img, s.name, 0)
	b := &backdrop{img: img}
	b.canvases.New = func() any { return image.NewYCbCr(img.Rect, img.SubsampleRatio) }
	return b
}

func drawDisc(img *image.YCbCr, center image.Point, radius int, shade color.YCbCr) {
	for dy := -radius; dy <= radius; dy++ {
		dx := int(math.Sqrt(float64(radius*radius - dy*dy)))
		fill(img, image.Rect(center.X-dx, center.Y+dy, center.X+dx+1, center.Y+dy+1), shade)
	}
}

// fill fills the part of r that is in the picture. Colour has half the
// resolution of light: it covers every pair of pixels that r touches.
func fill(img *image.YCbCr, r image.Rectangle, shade color.YCbCr) {
	r = r.Intersect(img.Rect)
	if r.Empty() {
		return
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		setBytes(img.Y[img.YOffset(r.Min.X, y):][:r.Dx()], shade.Y)
	}
	for y := r.Min.Y; y < r.Max.Y; y += 2 - y%2 {
		from, to := img.COffset(r.Min.X, y), img.COffset(r.Max.X-1, y)+1
		setBytes(img.Cb[from:to], shade.Cb)
		setBytes(img.Cr[from:to], shade.Cr)
	}
}

func setBytes(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}
