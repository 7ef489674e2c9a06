package pixels

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/transforms/internal/references"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(references.Pictures, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Whatever the bytes, decoding ends with pixels or an error, and takes no more
// memory than its limit allows; and the same bytes give the same again.
func FuzzDecode(f *testing.F) {
	entries, err := os.ReadDir(references.Pictures)
	if err != nil {
		f.Fatal(err)
	}
	for _, entry := range entries {
		f.Add(read(f, entry.Name()), uint8(len(entry.Name())))
	}
	f.Fuzz(func(t *testing.T, data []byte, choice uint8) {
		p := Options{MaxPixels: 1 << 16, Orient: choice&4 > 0}
		denominator := 1 << (choice & 3)
		got, err := Decode(data, p, denominator)
		if err != nil {
			return
		}
		if got.Width*got.Height > 1<<16 || len(got.Data) != 3*got.Width*got.Height {
			t.Fatalf("%d × %d pixels in %d bytes", got.Width, got.Height, len(got.Data))
		}
		again, err := Decode(data, p, denominator)
		if err != nil || !bytes.Equal(again.Data, got.Data) {
			t.Fatalf("decoded again, the pixels differ, or: %v", err)
		}
	})
}

// However a common picture is cut short, that is seen.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"444.jpg", "420.jpg", "restart.jpg", "grey.jpg", "rgb.png"} {
		whole := read(t, name)
		end := len(whole) - 2 // without an end of image nothing is missing
		if strings.HasSuffix(name, ".png") {
			end = len(whole) - 12
		}
		for n := range end {
			if _, err := Decode(whole[:n], Options{}, 1); err == nil && n < end-2 {
				t.Errorf("%s: %d of %d bytes are decoded", name, n, len(whole))
			}
		}
	}
}

// Pictures are decoded whatever follows them, a PNG without its end, and a JPEG, as a frame of Motion JPEG is, without
// the Huffman tables that are usual.
func TestLenient(t *testing.T) {
	jpeg, png := read(t, "420.jpg"), read(t, "rgb.png")
	for name, c := range map[string]struct{ whole, given []byte }{
		"trailer":           {jpeg, append(bytes.Clone(jpeg), bytes.Repeat([]byte("after"), 200)...)},
		"trailer of a PNG":  {png, append(bytes.Clone(png), "after"...)},
		"PNG without IEND":  {png, png[:len(png)-12]},
		"JPEG without DHT":  {jpeg, without(jpeg, 0xc4)},
		"grey without DHT":  {read(t, "grey.jpg"), without(read(t, "grey.jpg"), 0xc4)},
		"JPEG without JFIF": {jpeg, without(jpeg, 0xe0)},
	} {
		want, err := Decode(c.whole, Options{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(c.given, Options{}, 1); err != nil || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s: the pixels differ, or: %v", name, err)
		}
	}
}

// A picture is turned whatever integer type its orientation is of.
func TestOrientationTypes(t *testing.T) {
	short := read(t, "turned6.jpg")
	want, err := Decode(short, Options{Orient: true}, 1)
	if err != nil || want.Width != 16 || want.Height != 24 {
		t.Fatal(want.Width, want.Height, err)
	}
	entry := []byte{0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0}
	for _, kind := range []byte{4, 9} {
		long := bytes.Replace(short, entry, []byte{0x01, 0x12, 0, kind, 0, 0, 0, 1, 0, 0, 0, 6}, 1)
		got, err := Decode(long, Options{Orient: true}, 1)
		if err != nil || got.Width != want.Width || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("type %d: %d×%d pixels, %v", kind, got.Width, got.Height, err)
		}
	}
}

// without returns a JPEG without its segments of that marker.
func without(data []byte, marker byte) []byte {
	out := bytes.Clone(data[:2])
	for rest := data[2:]; ; {
		length := 2 + int(binary.BigEndian.Uint16(rest[2:]))
		if rest[1] == 0xda {
			return append(out, rest...)
		}
		if rest[1] != marker {
			out = append(out, rest[:length]...)
		}
		rest = rest[length:]
	}
}

// The limit of memory follows MaxPixels where that is raised.
func TestMemoryFollowsMaxPixels(t *testing.T) {
	if err := (Options{MaxPixels: MaxMaxPixels}).checkMemory("JPEG", 2<<30); err != nil {
		t.Error(err)
	}
	if err := (Options{}).checkMemory("JPEG", 2<<30); err == nil {
		t.Error("2 GiB are taken by default")
	}
}
