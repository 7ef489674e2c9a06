package lift

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color/palette"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pagetest"
)

func encodedPictures(t testing.TB) map[string][]byte {
	t.Helper()
	r := image.Rect(0, 0, 33, 17)
	var grey, ycc, palettes bytes.Buffer
	for _, err := range []error{
		jpeg.Encode(&grey, image.NewGray(r), nil),
		jpeg.Encode(&ycc, image.NewYCbCr(r, image.YCbCrSubsampleRatio420), &jpeg.Options{Quality: 1}),
		png.Encode(&palettes, image.NewPaletted(r, palette.Plan9)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	jfif := append([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0},
		ycc.Bytes()[2:]...)
	return map[string][]byte{
		"grey": grey.Bytes(), "YCbCr": ycc.Bytes(), "JFIF": jfif, "palette": palettes.Bytes(),
		"comments": pagetest.Picture(70_000),
	}
}

func TestPictureSize(t *testing.T) {
	for name, data := range encodedPictures(t) {
		format, want := frame.JPEG, image.Pt(33, 17)
		switch name {
		case "palette":
			format = frame.PNG
		case "comments":
			want = image.Pt(16, 16)
		}
		if size, err := PictureSize(data, format); err != nil || size != want {
			t.Errorf("%s: %v, %v", name, size, err)
		}
		if _, err := PictureSize(append(bytes.Clone(data), make([]byte, 100)...), format); err != nil {
			t.Errorf("%s, padded: %v", name, err)
		}
		for _, cut := range []int{1, 10, len(data) / 2, len(data) - 9} {
			if _, err := PictureSize(data[:cut], format); err == nil {
				t.Errorf("%s: %d of %d bytes pass for a picture", name, cut, len(data))
			}
		}
	}
	if _, err := PictureSize(encodedPictures(t)["palette"], frame.JPEG); err == nil {
		t.Error("a PNG passes for a JPEG")
	}
}

// A header that claims more pixels than the picture's bytes can hold is not
// believed.
func TestPictureSizeClaims(t *testing.T) {
	for name, data := range encodedPictures(t) {
		data = bytes.Clone(data)
		format := frame.JPEG
		if name == "palette" {
			format = frame.PNG
			binary.BigEndian.PutUint32(data[16:], 8192)
			binary.BigEndian.PutUint32(data[20:], 8192)
			binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
		} else {
			at := bytes.Index(data, []byte{0xff, 0xc0})
			binary.BigEndian.PutUint32(data[at+5:], 8192<<16|8192)
		}
		if size, err := PictureSize(data, format); err == nil {
			t.Errorf("%s: %d bytes pass for %v pixels", name, len(data), size)
		}
	}
}

// What the short way reads off a header is what image/jpeg reads.
func FuzzCommonJPEG(f *testing.F) {
	for _, data := range encodedPictures(f) {
		f.Add(data[:min(len(data), 1000)])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		size, ok := commonJPEG(data)
		if !ok {
			return
		}
		if want, err := anySize(data, frame.JPEG); err != nil || size != want {
			t.Fatalf("%v, image/jpeg says %v, %v", size, want, err)
		}
	})
}

// Nearly every picture goes the short way.
func TestCommonJPEGIsCommon(t *testing.T) {
	for name, data := range encodedPictures(t) {
		if _, ok := commonJPEG(data); ok != (name != "palette") {
			t.Errorf("%s: %v", name, ok)
		}
	}
}
