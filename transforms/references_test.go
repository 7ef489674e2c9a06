package transforms

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/jpeg"
	"github.com/kvsframes/kvsframes/transforms/internal/references"
)

func readPicture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(references.Pictures, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// frameOf returns a frame of a picture in testdata/pictures.
func frameOf(t testing.TB, name string) frame.Frame {
	t.Helper()
	f := frame.Frame{Stream: "front.door", SampleMs: 1_767_225_600_000, Format: frame.JPEG, Data: readPicture(t, name)}
	if strings.HasSuffix(name, ".png") {
		f.Format = frame.PNG
	}
	return f
}

// through puts one frame through steps, without Beam.
func through(t testing.TB, f frame.Frame, steps ...Step) sample {
	t.Helper()
	if err := Validate(steps...); err != nil {
		t.Fatal(err)
	}
	l, err := newChain(Describe(steps...))
	if err != nil {
		t.Fatal(err)
	}
	var out sample
	if err := l.run(t.Context(), []frame.Frame{f}, func(s *sample) { out = *s }); err != nil {
		t.Fatal(err)
	}
	return out
}

// tolerance is how far a channel may be from what Pillow makes of a picture.
// JPEGs that image/jpeg decodes go through another inverse DCT, and CMYK through
// other roundings; all else is the same.
func tolerance(t testing.TB, name string) int {
	t.Helper()
	if strings.HasSuffix(name, ".jpg") {
		if h, err := jpeg.ReadHeader(readPicture(t, name)); err == nil && !h.Common {
			return 3
		}
	}
	return 0
}

func testDecode(t *testing.T, load loader) {
	for key, want := range load(t, "decode/") {
		name, denominator, _ := strings.Cut(strings.TrimPrefix(key, "decode/"), "/")
		if denominator != "1" {
			continue // internal/jpeg's
		}
		t.Run(name, func(t *testing.T) {
			got := through(t, frameOf(t, name), DecodeParams{})
			if got.corrupt != nil {
				t.Fatal(got.corrupt)
			}
			if got.frame.Format != frame.RGB {
				t.Errorf("the format is %s", got.frame.Format)
			}
			want.Compare(t, got.frame.Data, int(got.frame.Width), int(got.frame.Height), tolerance(t, name))
		})
	}
}

func testTurn(t *testing.T, load loader) {
	for key, want := range load(t, "turn/") {
		got := through(t, frameOf(t, strings.TrimPrefix(key, "turn/")), DecodeParams{Orient: true})
		want.Compare(t, got.frame.Data, int(got.frame.Width), int(got.frame.Height), 0)
	}
}

func testResize(t *testing.T, load loader) {
	for key, want := range load(t, "resize/") {
		t.Run(key, func(t *testing.T) {
			name, spec, _ := strings.Cut(strings.TrimPrefix(key, "resize/"), "/")
			steps := []Step{DecodeParams{}}
			if spec == "drafted" { // from a JPEG decoded at half its size
				spec, steps = "32x18:stretch:area", nil
			}
			p, err := ParseResize(spec)
			if err != nil {
				t.Fatal(err)
			}
			got := through(t, frameOf(t, name), append(steps, p, DecodeParams{})...)
			want.Compare(t, got.frame.Data, int(got.frame.Width), int(got.frame.Height), 0)
		})
	}
}

func testHash(t *testing.T, load loader) {
	whole := load(t, "dhash/")
	for key, want := range load(t, "hash/") {
		name := strings.TrimPrefix(key, "hash/")
		if tolerance(t, name) > 0 {
			continue // another inverse DCT, so perhaps another bit
		}
		got := through(t, frameOf(t, name), DedupeParams{})
		if h := binary.BigEndian.AppendUint64(nil, got.hash); !bytes.Equal(h, want.Data) {
			t.Errorf("%s: the hash is %x, imagehash's is %x", name, h, want.Data)
		}
		got = through(t, frameOf(t, name), DecodeParams{}, DedupeParams{})
		if h := binary.BigEndian.AppendUint64(nil, got.hash); !bytes.Equal(h, whole["dhash/"+name].Data) {
			t.Errorf("%s: decoded, the hash is %x, imagehash's is %x", name, h, whole["dhash/"+name].Data)
		}
	}
}

func testTensor(t *testing.T, load loader) {
	for key, want := range load(t, "tensor/") {
		name, dtype, _ := strings.Cut(strings.TrimPrefix(key, "tensor/"), "/")
		p, err := ParseTensor(dtype)
		if err != nil {
			t.Fatal(err)
		}
		got := references.Parse(t, through(t, frameOf(t, name), p).frame.Data)
		if got.Dtype != want.Dtype || len(got.Shape) != 4 || [4]int(got.Shape) != [4]int(want.Shape) ||
			!bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s is %s %v, numpy's is %s %v, or their values differ", key, got.Dtype, got.Shape, want.Dtype, want.Shape)
		}
	}
}

// loader loads arrays by the beginning of their names.
type loader func(t testing.TB, prefix string) map[string]references.Array

var referenceTests = []struct {
	name string
	test func(*testing.T, loader)
}{
	{"Decode", testDecode}, {"Turn", testTurn}, {"Resize", testResize}, {"Hash", testHash}, {"Tensor", testTensor},
}

// What comes out is what Pillow, numpy and imagehash made of the same pictures.
func TestReferences(t *testing.T) {
	for _, r := range referenceTests {
		t.Run(r.name, func(t *testing.T) { r.test(t, references.Load) })
	}
}
