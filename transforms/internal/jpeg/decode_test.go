package jpeg

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/transforms/internal/references"
)

// Pixels are those of Pillow, that is of libjpeg, value for value, at every
// size.
func TestDecodeIsLibjpeg(t *testing.T) {
	for key, want := range references.Load(t, "decode/") {
		name, denominator, _ := strings.Cut(strings.TrimPrefix(key, "decode/"), "/")
		data, err := os.ReadFile(filepath.Join(references.Pictures, name))
		if err != nil {
			t.Fatal(err)
		}
		if header, err := ReadHeader(data); err != nil || !header.Common {
			continue
		}
		t.Run(key, func(t *testing.T) {
			n, err := strconv.Atoi(denominator)
			if err != nil {
				t.Fatal(err)
			}
			pixels, width, height, err := Decode(nil, data, n, false)
			if err != nil {
				t.Fatal(err)
			}
			want.Compare(t, pixels, width, height, 0)
		})
	}
}
