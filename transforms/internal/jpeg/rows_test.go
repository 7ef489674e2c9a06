package jpeg

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvsframes/kvsframes/transforms/internal/references"
)

// A crop is that part of the whole, at every size, wherever it lies.
func TestCrop(t *testing.T) {
	for _, name := range []string{"444.jpg", "422.jpg", "420.jpg", "440.jpg", "411.jpg", "grey.jpg", "restart.jpg"} {
		data, err := os.ReadFile(filepath.Join(references.Pictures, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, denominator := range []int{1, 2, 4, 8} {
			whole, width, height, err := Decode(nil, data, denominator, false)
			if err != nil {
				t.Fatal(err)
			}
			for left := 0; left < width; left += 1 + left {
				for top := 0; top < height; top += 1 + top {
					for _, window := range []image.Rectangle{
						image.Rect(left, top, left+1, top+1),
						image.Rect(left, top, width, height),
						image.Rect(width-left-1, height-top-1, width, height),
						image.Rect(0, 0, width-left, height-top),
					} {
						got := crop(t, data, denominator, window)
						var want []byte
						for y := window.Min.Y; y < window.Max.Y; y++ {
							want = append(want, whole[3*(y*width+window.Min.X):3*(y*width+window.Max.X)]...)
						}
						if !bytes.Equal(got, want) {
							t.Fatalf("%s at 1/%d: %v differs from that part of the whole", name, denominator, window)
						}
					}
				}
			}
		}
	}
}

func crop(t *testing.T, data []byte, denominator int, window image.Rectangle) []byte {
	t.Helper()
	d, err := Open(data, denominator, false)
	if err != nil {
		t.Fatal(err)
	}
	d.Crop(window)
	out := make([]byte, d.RowBytes()*window.Dy())
	for y := range window.Dy() {
		if err := d.ReadRow(out[y*d.RowBytes():][:d.RowBytes()]); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}
