package transforms

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	stdjpeg "image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/pixels"
)

// claiming returns a picture of testdata/pictures whose header claims another size.
func claiming(t *testing.T, name string, width, height int) []byte {
	t.Helper()
	data := bytes.Clone(readPicture(t, name))
	if strings.HasSuffix(name, ".png") {
		binary.BigEndian.PutUint32(data[16:], uint32(width))
		binary.BigEndian.PutUint32(data[20:], uint32(height))
		binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
		return data
	}
	at := bytes.Index(data, []byte{0xff, 0xc0})
	if at < 0 {
		at = bytes.Index(data, []byte{0xff, 0xc2})
	}
	binary.BigEndian.PutUint16(data[at+5:], uint16(height))
	binary.BigEndian.PutUint16(data[at+7:], uint16(width))
	return data
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

var everyStep = []Step{
	DecodeParams{},
	ResizeParams{Width: 8, Height: 8},
	TensorParams{},
	DedupeParams{},
	MapParams{tellSize, true},
	FilterParams{isLarge, true},
}

// A picture that claims more than its bytes can hold, or more memory than a decode
// may take, is refused before memory is taken for it.
func TestClaims(t *testing.T) {
	for _, c := range []struct {
		name          string
		width, height int
		padding       int // bytes that follow the picture
		want          string
	}{
		{"420.jpg", 8192, 8192, 0, "cannot be 8192×8192 pixels"},
		{"grey.jpg", 8192, 8192, 0, "cannot be 8192×8192 pixels"},
		{"restart.jpg", 3840, 2160, 0, "cannot be 3840×2160 pixels"},
		{"progressive.jpg", 8192, 8192, 0, "cannot be 8192×8192 pixels"},
		{"cmyk.jpg", 8192, 8192, 0, "cannot be 8192×8192 pixels"},
		{"rgb.jpg", 8192, 8192, 0, "cannot be 8192×8192 pixels"},
		{"rgb.png", 8192, 8192, 0, "cannot be 8192×8192 pixels"},
		{"rgb16.png", 8192, 8192, 0, "cannot be 8192×8192 pixels"},
		{"bilevel.png", 8192, 8192, 0, "cannot be 8192×8192 pixels"},
		{"interlaced.png", 8192, 8192, 0, "cannot be 8192×8192 pixels"},
		{"progressive.jpg", 8192, 8192, 1 << 20, "takes 672 MiB to decode: more than 512 MiB is not taken"},
		{"cmyk.jpg", 8192, 8192, 1 << 20, "takes 704 MiB to decode: more than 512 MiB is not taken"},
		{"rgb16.png", 8192, 8192, 1 << 20, "takes 704 MiB to decode: more than 512 MiB is not taken"},
		{"interlaced.png", 8192, 8192, 1 << 20, "takes 704 MiB to decode: more than 512 MiB is not taken"},
	} {
		f := frameOf(t, c.name)
		f.Data = append(claiming(t, c.name, c.width, c.height), make([]byte, c.padding)...)
		for _, step := range everyStep {
			var err error
			bytes := allocated(func() { err = through(t, f, step).corrupt })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s and %d bytes, %s: %v, want %s", c.name, c.padding, step, err, c.want)
			}
			if bytes > 1<<20 {
				t.Errorf("%s and %d bytes, %s: %d bytes were allocated", c.name, c.padding, step, bytes)
			}
		}
	}
}

// flat returns a grey picture of the largest size that the service gives, as small
// as encoders can make it.
func flat(t *testing.T) map[string][]byte {
	t.Helper()
	pictures := shardtest.FlatJPEGs(t)
	grey := image.NewGray(image.Rect(0, 0, 3840, 2160))
	for i := range grey.Pix {
		grey.Pix[i] = 128
	}
	var jpeg, small bytes.Buffer
	if err := stdjpeg.Encode(&jpeg, grey, &stdjpeg.Options{Quality: 1}); err != nil {
		t.Fatal(err)
	}
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, grey); err != nil {
		t.Fatal(err)
	}
	pictures["grey.jpg"], pictures["grey.png"] = jpeg.Bytes(), small.Bytes()
	return pictures
}

// However little a picture takes, it is decoded.
func TestFlatPictures(t *testing.T) {
	for name, data := range flat(t) {
		f := frame.Frame{Stream: "front.door", SampleMs: 1_767_225_600_000, Format: frame.JPEG, Data: data}
		if strings.HasSuffix(name, ".png") {
			f.Format = frame.PNG
		}
		got := through(t, f, DecodeParams{})
		if got.corrupt != nil || got.frame.Width != 3840 || got.frame.Height != 2160 {
			t.Errorf("%s: %d×%d pixels, %v", name, got.frame.Width, got.frame.Height, got.corrupt)
			continue
		}
		for i, v := range got.frame.Data {
			if v < 126 || v > 130 {
				t.Errorf("%s: value %d is %d", name, i, v)
				break
			}
		}
	}
}

// The limit of memory follows MaxPixels where that is raised, and does not fall
// below what the largest of ordinary pictures take where it is lowered.
func TestMaxPixelsAndMemory(t *testing.T) {
	progressive := flat(t)["progressive.jpg"]
	if _, err := pixels.Decode(progressive, pixels.Options{MaxPixels: 3840 * 2160}, 1); err != nil {
		t.Error(err)
	}
	large := append(claiming(t, "progressive.jpg", 8192, 8192), make([]byte, 1<<20)...)
	if header, err := pixels.JPEGHeader(large, pixels.Options{MaxPixels: MaxMaxPixels}); err != nil ||
		header.Width != 8192 {
		t.Error(header.Width, err)
	}
}
