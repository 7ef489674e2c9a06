//go:build amd64 && !purego

package jpeg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvsframes/kvsframes/transforms/internal/references"
)

// needAVX2 skips where there are no kernels.
func needAVX2(t testing.TB) {
	t.Helper()
	if !avx2 {
		t.Skip("this machine has no AVX2")
	}
}

// random returns bytes, of which mildly many are 0 or 255.
func random(r *rand.Rand, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		switch v := r.Uint32(); v >> 8 & 7 {
		case 0:
		case 1:
			data[i] = 255
		default:
			data[i] = uint8(v)
		}
	}
	return data
}

// The kernels of inverse DCTs make what the Go functions make, whatever the coefficients.
func FuzzInverseKernels(f *testing.F) {
	needAVX2(f)
	r := rand.New(rand.NewPCG(1, 1))
	for bits := range 16 { // from the coefficients of real pictures to such as overflow
		seed := random(r, 128)
		for i := range 64 {
			v := int16(binary.LittleEndian.Uint16(seed[2*i:])) >> bits
			binary.LittleEndian.PutUint16(seed[2*i:], uint16(v))
		}
		f.Add(seed)
		clear(seed[16:]) // one coefficient a column at most
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var b block
		for i := range min(64, len(data)/2) {
			b[i] = int16(binary.LittleEndian.Uint16(data[2*i:]))
		}
		const stride = 11
		for _, size := range []int{8, 4, 2} {
			got, want := make([]byte, 8*stride), make([]byte, 8*stride)
			inverse(got, stride, size, &b)
			inverseGo(want, stride, size, &b)
			if !bytes.Equal(got, want) {
				t.Fatalf("%d × %d pixels of %v are\n%v, want\n%v", size, size, b, got, want)
			}
		}
	})
}

// The kernels of rows make what the Go functions make, and write nothing else.
func FuzzRowKernels(f *testing.F) {
	needAVX2(f)
	r := rand.New(rand.NewPCG(2, 1))
	for n := range 100 {
		f.Add(random(r, 6*n))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := len(data) / 3
		a, b, c := data[:n], data[n:2*n], data[2*n:3*n]
		for _, k := range []struct {
			name     string
			out, min int // bytes a pixel, pixels
			kernel   func(out []byte)
			plain    func(out []byte)
		}{
			{"toRGB", 3, 0, func(out []byte) { toRGB(out, a, b, c) }, func(out []byte) { toRGBGo(out, a, b, c) }},
			{"double", 2, 2, func(out []byte) { double(out, a) }, func(out []byte) { doubleGo(out, a) }},
			{"down 1", 1, 0, func(out []byte) { down(out, a, b, 1) }, func(out []byte) { downGo(out, a, b, 1) }},
			{"down 2", 1, 0, func(out []byte) { down(out, a, b, 2) }, func(out []byte) { downGo(out, a, b, 2) }},
			{"both", 2, 2, func(out []byte) { both(out, a, b) }, func(out []byte) { bothGo(out, a, b) }},
		} {
			if n < k.min {
				continue
			}
			got, want := bytes.Repeat([]byte{77}, k.out*n+64), bytes.Repeat([]byte{77}, k.out*n+64)
			k.kernel(got)
			k.plain(want)
			if !bytes.Equal(got, want) {
				t.Fatalf("%s of %v and %v is\n%v, want\n%v", k.name, a, b, got, want)
			}
		}
	})
}

// With kernels and without, decoding gives the same pixels or the same error, whatever the bytes.
func FuzzDecodeKernels(f *testing.F) {
	needAVX2(f)
	names, err := filepath.Glob(filepath.Join(references.Pictures, "*.jpg"))
	if err != nil || len(names) == 0 {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for denominator := range uint8(4) {
			f.Add(data, denominator)
		}
		f.Add(data[:len(data)*3/4], uint8(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, choice uint8) {
		h, err := ReadHeader(data)
		if err != nil || !h.Common || h.Width*h.Height > 1<<18 {
			return
		}
		denominator := 1 << (choice & 3)
		got, _, _, gotErr := Decode(nil, data, denominator, false)
		avx2 = false
		want, _, _, wantErr := Decode(nil, data, denominator, false)
		avx2 = true
		if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || !bytes.Equal(got, want) {
			t.Fatalf("at 1/%d pixels differ, or errors: %v, without kernels %v", denominator, gotErr, wantErr)
		}
	})
}
