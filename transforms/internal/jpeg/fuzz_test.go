package jpeg

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvsframes/kvsframes/transforms/internal/references"
)

// Whatever the bytes, decoding ends, with pixels of the size that the header
// says or an error, and after anything else gives the same.
func FuzzDecode(f *testing.F) {
	names, err := filepath.Glob(filepath.Join(references.Pictures, "*.jpg"))
	if err != nil || len(names) == 0 {
		f.Fatal(err)
	}
	for i, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, choice uint8) {
		h, err := ReadHeader(data)
		if err != nil || !h.Common || h.Width*h.Height > 1<<18 {
			return
		}
		denominator, grey, channels := 1<<(choice&3), choice&4 > 0, 3
		if grey {
			channels = 1
		}
		pixels, width, height, err := Decode(nil, data, denominator, grey)
		if err != nil {
			return
		}
		if w, h := h.Scaled(denominator); width != w || height != h || len(pixels) != channels*w*h {
			t.Fatalf("%d bytes of %d × %d, want %d × %d", len(pixels), width, height, w, h)
		}
		if again, _, _, err := Decode(nil, data, denominator, grey); err != nil || !bytes.Equal(again, pixels) {
			t.Fatalf("decoded again, pixels differ, or: %v", err)
		}
	})
}
