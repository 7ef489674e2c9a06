package transforms

import (
	"bytes"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/transforms/internal/jpeg"
)

// Bad pictures are errors, each with its cause.
func TestBadPictures(t *testing.T) {
	for name, want := range map[string]string{
		"truncated.bad.jpg": "the JPEG is truncated",
		"header.bad.jpg":    "the JPEG is truncated",
		"zero.bad.jpg":      "the JPEG is 0×0 pixels",
		"huge.bad.jpg":      "the JPEG claims to be 60000×60000 pixels",
		"truncated.bad.png": "the PNG cannot be decoded: png: invalid format: not enough pixel data",
		"zero.bad.png":      "the PNG claims to be 0×0 pixels",
		"huge.bad.png":      "the PNG claims to be 60000×60000 pixels",
	} {
		for _, step := range everyStep {
			if got := through(t, frameOf(t, name), step); got.corrupt == nil || !strings.HasPrefix(got.corrupt.Error(), want) {
				t.Errorf("%s, %s: %v, want %s", name, step, got.corrupt, want)
			}
		}
	}
	empty := frameOf(t, "420.jpg")
	empty.Data = nil
	if got := through(t, empty, DecodeParams{}); got.corrupt == nil {
		t.Error("nothing was decoded")
	}
}

// picture draws what a camera might: soft shapes, edges and noise.
func picture(width, height, seed int) []byte {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			v := (x*3+seed*7)%256/2 + y*100/height
			if (x/97+y/61)%3 == 0 {
				v = 255 - v
			}
			noise := r.IntN(13) - 6
			level := func(c int) uint8 { return uint8(min(max(c+noise, 0), 255)) }
			img.SetRGBA(x, y, color.RGBA{level(v), level(v*3/4 + x*60/width), level(220 - v/2), 255})
		}
	}
	var out bytes.Buffer
	if err := stdjpeg.Encode(&out, img, &stdjpeg.Options{Quality: 80}); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// Pictures of many sizes and scales are of the size that was asked for.
func TestScaled(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 9}, {8, 8}, {15, 17}, {16, 16}, {33, 31}, {64, 65}} {
		data := picture(size[0], size[1], 1)
		for _, denominator := range []int{1, 2, 4, 8} {
			pixels, width, height, err := jpeg.Decode(nil, data, denominator, false)
			if err != nil || width != (size[0]+denominator-1)/denominator || height != (size[1]+denominator-1)/denominator ||
				len(pixels) != 3*width*height {
				t.Errorf("%v at 1/%d: %d bytes of %d×%d, %v", size, denominator, len(pixels), width, height, err)
			}
		}
	}
}
