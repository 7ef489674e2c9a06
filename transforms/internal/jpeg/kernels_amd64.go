//go:build !purego

package jpeg

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

var avx2 = cpu.X86.HasAVX2 && cpu.X86.HasBMI2

//go:noescape
func codesAVX2(b *bits, dc, ac *entry, quant *int32, places *uint8, block *int16, pred *int32) (k int, e entry)

//go:noescape
func inverse8AVX2(dst *byte, stride int, block *[64]int16)

//go:noescape
func inverse4AVX2(dst *byte, stride int, block *[64]int16)

//go:noescape
func inverse2AVX2(dst *byte, stride int, block *[64]int16)

//go:noescape
func toRGBAVX2(dst, luma, cb, cr *byte, n int)

//go:noescape
func doubleAVX2(out, in *byte, n int)

//go:noescape
func downAVX2(out, in, beside *byte, n int, bias uint16)

//go:noescape
func bothAVX2(out, in, beside *byte, n int)

// codes does what codesGo does.
func (d *Decoder) codes(c *component) (k int, e entry) {
	if !avx2 {
		return d.codesGo(c)
	}
	return codesAVX2(&d.bits, &c.dc.look[0], &c.ac.look[0], &c.quant[0], &places[0], &d.block[0], &c.pred)
}

// inverse writes the pixels of a block, size × size of them, to dst.
func inverse(dst []byte, stride, size int, b *block) {
	if !avx2 {
		inverseGo(dst, stride, size, b)
		return
	}
	_ = dst[(size-1)*stride+size-1]
	switch size {
	case 8:
		inverse8AVX2(unsafe.SliceData(dst), stride, b)
	case 4:
		inverse4AVX2(unsafe.SliceData(dst), stride, b)
	default:
		inverse2AVX2(unsafe.SliceData(dst), stride, b)
	}
}

// The kernels of rows make whole steps of pixels; the last step is shifted back so that it ends with the row.

// toRGB converts a row.
func toRGB(dst, luma, cb, cr []byte) {
	const step = 32
	n := len(luma)
	if !avx2 || n < step {
		toRGBGo(dst, luma, cb, cr)
		return
	}
	dst, cb, cr = dst[:3*n], cb[:n], cr[:n]
	toRGBAVX2(&dst[0], &luma[0], &cb[0], &cr[0], n&^(step-1))
	if rest := n - step; n%step > 0 {
		toRGBAVX2(&dst[3*rest], &luma[rest], &cb[rest], &cr[rest], step)
	}
}

// double doubles a row of two or more.
func double(out, in []byte) {
	const step = 16
	n := len(in)
	if !avx2 || n < step+2 {
		doubleGo(out, in)
		return
	}
	out = out[:2*n]
	doubleGo(out, in[:2]) // for the first and the last, which have one neighbour
	doubleGo(out[2*n-4:], in[n-2:])
	inner := (n - 2) &^ (step - 1)
	doubleAVX2(&out[2], &in[1], inner)
	if rest := n - 1 - step; inner < n-2 {
		doubleAVX2(&out[2*rest], &in[rest], step)
	}
}

// down makes the row between two that is nearer to in.
func down(out, in, beside []byte, bias int) {
	const step = 16
	n := len(in)
	if !avx2 || n < step {
		downGo(out, in, beside, bias)
		return
	}
	out, beside = out[:n], beside[:n]
	downAVX2(&out[0], &in[0], &beside[0], n&^(step-1), uint16(bias))
	if rest := n - step; n%step > 0 {
		downAVX2(&out[rest], &in[rest], &beside[rest], step, uint16(bias))
	}
}

// both makes the row between two that is nearer to in, and doubles it; they are of two or more.
func both(out, in, beside []byte) {
	const step = 16
	n := len(in)
	if !avx2 || n < step+2 {
		bothGo(out, in, beside)
		return
	}
	out, beside = out[:2*n], beside[:n]
	bothGo(out, in[:2], beside[:2]) // for the first and the last, which have one neighbour
	bothGo(out[2*n-4:], in[n-2:], beside[n-2:])
	inner := (n - 2) &^ (step - 1)
	bothAVX2(&out[2], &in[1], &beside[1], inner)
	if rest := n - 1 - step; inner < n-2 {
		bothAVX2(&out[2*rest], &in[rest], &beside[rest], step)
	}
}
