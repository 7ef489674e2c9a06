package transforms

import (
	"bytes"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/transforms/internal/jpeg"
	"github.com/kvsframes/kvsframes/transforms/internal/references"
)

// Whatever the bytes, decoding ends with pixels or an error, and takes no more
// memory than its limit allows; and the same bytes give the same again.
func FuzzDecode(f *testing.F) {
	entries, err := os.ReadDir(references.Pictures)
	if err != nil {
		f.Fatal(err)
	}
	for _, entry := range entries {
		f.Add(readPicture(f, entry.Name()), uint8(len(entry.Name())))
	}
	f.Fuzz(func(t *testing.T, data []byte, choice uint8) {
		p := DecodeParams{MaxPixels: 1 << 16, Orient: choice&4 > 0}
		denominator := 1 << (choice & 3)
		got, err := decodePicture(data, p, denominator)
		if err != nil {
			return
		}
		if got.width*got.height > 1<<16 || len(got.data) != 3*got.width*got.height {
			t.Fatalf("%d × %d pixels in %d bytes", got.width, got.height, len(got.data))
		}
		again, err := decodePicture(data, p, denominator)
		if err != nil || !bytes.Equal(again.data, got.data) {
			t.Fatalf("decoded again, the pixels differ, or: %v", err)
		}
	})
}

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
		for _, step := range []Step{DecodeParams{}, ResizeParams{Width: 8, Height: 8}, TensorParams{}, DedupeParams{}} {
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

// However a common picture is cut short, that is seen.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"444.jpg", "420.jpg", "restart.jpg", "grey.jpg", "rgb.png"} {
		whole := readPicture(t, name)
		end := len(whole) - 2 // without an end of image nothing is missing
		if strings.HasSuffix(name, ".png") {
			end = len(whole) - 12
		}
		for n := range end {
			if _, err := decodePicture(whole[:n], DecodeParams{}, 1); err == nil && n < end-2 {
				t.Errorf("%s: %d of %d bytes are decoded", name, n, len(whole))
			}
		}
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
			if err != nil || width != (size[0]+denominator-1)/denominator || height != (size[1]+denominator-1)/denominator || len(pixels) != 3*width*height {
				t.Errorf("%v at 1/%d: %d bytes of %d×%d, %v", size, denominator, len(pixels), width, height, err)
			}
		}
	}
}
