package frame_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
)

// The smallest pictures that encoders make of a flat grey pass.
func TestSmallestPictures(t *testing.T) {
	for name, data := range shardtest.FlatJPEGs(t) {
		if err := frame.CheckSize(frame.JPEG, len(data), 3840, 2160); err != nil {
			t.Error(name, err)
		}
	}
	bilevel := image.NewPaletted(image.Rect(0, 0, 3840, 2160), color.Palette{color.Black, color.White})
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, bilevel); err != nil {
		t.Fatal(err)
	}
	if err := frame.CheckSize(frame.PNG, small.Len(), 3840, 2160); err != nil {
		t.Error(err)
	}
}

func TestTooLargeClaims(t *testing.T) {
	for _, c := range []struct {
		format string
		n      int
	}{{frame.JPEG, 665}, {frame.JPEG, 100_000}, {frame.PNG, 69}, {frame.PNG, 8000}} {
		if err := frame.CheckSize(c.format, c.n, 8192, 8192); err == nil {
			t.Errorf("a %s of %d bytes passes for 8192×8192 pixels", c.format, c.n)
		}
	}
}
