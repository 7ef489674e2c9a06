package pixels

import (
	"bytes"
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

// The limit of memory follows MaxPixels where that is raised.
func TestMemoryFollowsMaxPixels(t *testing.T) {
	if err := (Options{MaxPixels: MaxMaxPixels}).checkMemory("JPEG", 2<<30); err != nil {
		t.Error(err)
	}
	if err := (Options{}).checkMemory("JPEG", 2<<30); err == nil {
		t.Error("2 GiB are taken by default")
	}
}
