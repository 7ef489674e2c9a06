//go:build turbojpeg

package pixels

import (
	"os"
	"testing"

	"github.com/kvsframes/kvsframes/transforms/internal/jpeg"
	"github.com/kvsframes/kvsframes/transforms/internal/references"
)

// Libjpeg-turbo and the default build differ by 2 at most. They do not differ at
// all, in fact, which the references hold for each by itself.
func TestTurboIsPure(t *testing.T) {
	entries, err := os.ReadDir(references.Pictures)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, entry := range entries {
		data := read(t, entry.Name())
		header, err := JPEGHeader(data, Options{})
		if err != nil || !header.Common {
			continue
		}
		for _, denominator := range []int{1, 2, 4, 8} {
			got, err := decodeCommon(data, header, denominator)
			want, wantErr := decodePure(data, header, denominator)
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Errorf("%s: the error is %v, without turbojpeg %v", entry.Name(), err, wantErr)
			}
			if err == nil {
				array := references.Array{Shape: []int{want.Height, want.Width, 3}, Data: want.Data}
				array.Compare(t, got.Data, got.Width, got.Height, 2)
				compared++
			}
		}
	}
	if compared < 50 {
		t.Errorf("%d pictures were compared", compared)
	}
}

// It is libjpeg-turbo that decodes, at every size.
func TestTurboDecodes(t *testing.T) {
	data := read(t, "scene.jpg")
	header, err := jpeg.ReadHeader(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, denominator := range []int{1, 2, 4, 8} {
		width, height := header.Scaled(denominator)
		if !decodeTurbo(make([]byte, 3*width*height), data, header, denominator, pixelFormatRGB, 3) {
			t.Errorf("1/%d was not decoded", denominator)
		}
	}
}
