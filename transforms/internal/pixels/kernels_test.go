//go:build amd64 && !purego

package pixels

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// random returns bytes, of which many are 0 or 255.
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

// The kernels make what the Go functions make, and write nothing else.
func FuzzKernels(f *testing.F) {
	if !avx2 {
		f.Skip("this machine has no AVX2")
	}
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 60 {
		f.Add(random(r, 15*n), uint8(n), uint8(1+r.IntN(255)), uint8(r.IntN(256)))
	}
	filters := []*Filter{Box, Bilinear, CatmullRom, Lanczos}
	f.Fuzz(func(t *testing.T, data []byte, filter, out, cut uint8) {
		same := func(name string, n int, kernel, plain func(out []byte)) {
			t.Helper()
			got, want := bytes.Repeat([]byte{77}, n+64), bytes.Repeat([]byte{77}, n+64)
			kernel(got[:n])
			plain(want[:n])
			if !bytes.Equal(got, want) {
				t.Fatalf("%s of %v is\n%v, want\n%v", name, data, got, want)
			}
		}
		same("unit", 4*len(data), func(out []byte) { unit(out, data) }, func(out []byte) { unitGo(out, data) })

		width := len(data) / 3
		if width == 0 || out == 0 {
			return
		}
		from := float32(width) * float32(cut) / 512
		a := newAxis(filters[filter%4], width, from, float32(width)-from/2, int(out))
		fast := newFastAxis(&a, 3)
		row := append(bytes.Clone(data[3*a.from:3*a.to]), make([]byte, cut%32)...) // with or without what may be read
		same("across", 3*int(out), func(out []byte) { fast.row(&a, out, row, 3) }, func(out []byte) { a.acrossGo(out, row, 3, 0) })

		height := 1 + int(cut)%7
		stride := len(data) / height
		n := stride - int(out)%(1+stride/2)
		down := newAxis(filters[filter%4], height, 0, float32(height), 1+int(out)%9)
		for y, weights := range down.weights {
			src := data[stride*(down.from+down.first[y]):]
			same("weigh", n, func(out []byte) { weigh(out, src, stride, weights) },
				func(out []byte) { weighGo(out, src, stride, weights) })
		}
	})
}
