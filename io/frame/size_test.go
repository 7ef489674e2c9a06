package frame

import (
	"bytes"
	"compress/gzip"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// The smallest pictures that encoders make of a flat grey pass.
func TestSmallestPictures(t *testing.T) {
	paths, err := filepath.Glob("../../transforms/testdata/flat/*.jpg.gz")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		unzipped, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, unzipped)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckSize(JPEG, int(n), 3840, 2160); err != nil {
			t.Error(path, err)
		}
	}
	bilevel := image.NewPaletted(image.Rect(0, 0, 3840, 2160), color.Palette{color.Black, color.White})
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, bilevel); err != nil {
		t.Fatal(err)
	}
	if err := CheckSize(PNG, small.Len(), 3840, 2160); err != nil {
		t.Error(err)
	}
}

func TestTooLargeClaims(t *testing.T) {
	for _, c := range []struct {
		format string
		n      int
	}{{JPEG, 665}, {JPEG, 100_000}, {PNG, 69}, {PNG, 8000}} {
		if err := CheckSize(c.format, c.n, 8192, 8192); err == nil {
			t.Errorf("a %s of %d bytes passes for 8192×8192 pixels", c.format, c.n)
		}
	}
}
