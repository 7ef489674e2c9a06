package pixels

import (
	"bytes"
	"testing"

	"github.com/kvsframes/kvsframes/transforms/internal/jpeg"
)

// What is resized while it is decoded is what is resized after it, wherever a crop lies and in either order of passes.
func TestResizeJPEG(t *testing.T) {
	for _, name := range []string{"444.jpg", "420.jpg", "422.jpg", "440.jpg", "411.jpg", "grey.jpg", "scene.jpg", "1x1.jpg"} {
		data := read(t, name)
		header, err := jpeg.ReadHeader(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, denominator := range []int{1, 2, 8} {
			whole, err := Decode(data, Options{}, denominator)
			if err != nil {
				t.Fatal(err)
			}
			w, h := float32(whole.Width), float32(whole.Height)
			for _, from := range []Rect{{0, 0, w, h}, {w / 3, 0, w/3 + 0.5, h}, {w * 0.6, h * 0.7, w, h}, {0, h / 5, w * 0.9, h / 2}} {
				for _, size := range [][2]int{{7, 5}, {whole.Width, 3}, {3, whole.Height}, {whole.Width, whole.Height}, {90, 50}} {
					for _, f := range []*Filter{Box, CatmullRom} {
						want := whole.Resize(f, from, size[0], size[1])
						got, _, err := ResizeJPEG(data, denominator, f, from, size[0], size[1])
						if err != nil || !bytes.Equal(got.Data, want.Data) {
							t.Fatalf("%s at 1/%d, %v of %d×%d to %v differs, or: %v", name, denominator, from,
								header.Width, header.Height, size, err)
						}
					}
				}
			}
		}
	}
}

// What lies behind a crop is looked at, too: a truncated picture is an error.
func TestResizeJPEGTruncated(t *testing.T) {
	data := read(t, "420.jpg")
	for n := range len(data) - 4 {
		if _, _, err := ResizeJPEG(data[:n], 1, Box, Rect{0, 0, 8, 8}, 4, 4); err == nil {
			t.Errorf("%d of %d bytes are resized", n, len(data))
		}
	}
}
