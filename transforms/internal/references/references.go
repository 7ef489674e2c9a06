// Package references reads, for tests, what other libraries made of the pictures
// in testdata/pictures: testdata/references/expected.py.
package references

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

var root = func() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "../../../testdata")
}()

// Pictures is the folder of the pictures.
var Pictures = filepath.Join(root, "pictures")

// Scripts is the folder of what makes pictures and arrays.
var Scripts = filepath.Join(root, "references")

// Array is an array of numpy's.
type Array struct {
	Dtype string // "|u1", "<f4"
	Shape []int
	Data  []byte
}

// Load returns the kept arrays whose names begin with prefix.
func Load(t testing.TB, prefix string) map[string]Array {
	return LoadFrom(t, filepath.Join(Scripts, "expected.npz"), prefix)
}

// LoadFrom is Load from another file that expected.py made.
func LoadFrom(t testing.TB, path, prefix string) map[string]Array {
	t.Helper()
	file, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	arrays := make(map[string]Array)
	for _, entry := range file.File {
		name := strings.TrimSuffix(entry.Name, ".npy")
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		r, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		npy, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		arrays[name] = Parse(t, npy)
	}
	if len(arrays) == 0 {
		t.Fatalf("%s has no array %s*", path, prefix)
	}
	return arrays
}

var header = regexp.MustCompile(`^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n$`)

// Parse reads a .npy file, as numpy writes it.
func Parse(t testing.TB, npy []byte) Array {
	t.Helper()
	if !bytes.HasPrefix(npy, []byte("\x93NUMPY\x01\x00")) {
		t.Fatalf("%.10q is not how a .npy file begins", npy)
	}
	end := 10 + int(binary.LittleEndian.Uint16(npy[8:]))
	m := header.FindSubmatch(npy[10:end])
	if m == nil || end%64 != 0 {
		t.Fatalf("%q is not numpy's header, or not of 64 bytes", npy[10:end])
	}
	a := Array{Dtype: string(m[1]), Data: npy[end:]}
	for n := range strings.SplitSeq(string(m[2]), ",") {
		if n = strings.TrimSpace(n); n != "" {
			v, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal(err)
			}
			a.Shape = append(a.Shape, v)
		}
	}
	return a
}

// Compare fails unless RGB pixels are those of a height × width × 3 array, give
// or take a tolerance in each.
func (a Array) Compare(t testing.TB, pixels []byte, width, height, tolerance int) {
	t.Helper()
	if len(a.Shape) != 3 || a.Shape[0] != height || a.Shape[1] != width || len(pixels) != len(a.Data) {
		t.Fatalf("%d bytes of %d × %d pixels, want %v", len(pixels), width, height, a.Shape)
	}
	worst, differ, at := 0, 0, 0
	for i, want := range a.Data {
		d := int(pixels[i]) - int(want)
		if d = max(d, -d); d > worst {
			worst, at = d, i
		}
		if d > 0 {
			differ++
		}
	}
	if worst > tolerance {
		t.Errorf("channel %d at %d, %d is %d, want %d; %d of %d values differ", at%3, at/3%width, at/3/width, pixels[at],
			a.Data[at], differ, len(pixels))
	}
}
