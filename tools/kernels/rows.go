package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// times repeats the body until n, a multiple of step, is used up. at is how far it is.
func times(step uint64, body func(at Register)) {
	n, at := Load(Param("n"), GP64()), GP64()
	XORQ(at, at)
	Label("loop")
	body(at)
	ADDQ(U8(step), at)
	CMPQ(at, n)
	JLT(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

func toRGB() {
	TEXT("toRGBAVX2", NOSPLIT, "func(dst, luma, cb, cr *byte, n int)")
	dst := Load(Param("dst"), GP64())
	luma, cb, cr := Load(Param("luma"), GP64()), Load(Param("cb"), GP64()), Load(Param("cr"), GP64())
	zero, centre := YMM(), YMM()
	VPXOR(zero, zero, zero)
	VMOVDQU(dwords("centre", 128|128<<16), centre)
	times(32, func(at Register) {
		load := func(base Register) VecVirtual {
			v := YMM()
			VMOVDQU(Mem{Base: base, Index: at, Scale: 1}, v)
			return v
		}
		y, b, r := load(luma), load(cb), load(cr)
		var halves [2][3]VecVirtual
		for i, unpack := range []func(ops ...Op){VPUNPCKLBW, VPUNPCKHBW} {
			halves[i] = colours(y, b, r, zero, centre, unpack)
		}
		var planes [3]VecVirtual
		for i := range planes {
			planes[i] = halves[0][i]
			VPACKUSWB(halves[1][i], halves[0][i], planes[i])
			VPSHUFB(bytes([]string{"spread_red", "spread_green", "spread_blue"}[i], spread(i)), planes[i], planes[i])
		}
		interleave(planes, dst)
		ADDQ(U8(96), dst)
	})
}

// colours makes words of red, green and blue of half of the pixels.
func colours(luma, cb, cr, zero, centre VecVirtual, unpack func(ops ...Op)) (out [3]VecVirtual) {
	y, b, r := YMM(), YMM(), YMM()
	unpack(zero, luma, y)
	unpack(zero, cb, b)
	unpack(zero, cr, r)
	VPSUBW(centre, b, b)
	VPSUBW(centre, r, r)

	// fraction returns v × weight / 65536, rounded.
	fraction := func(v VecVirtual, name string, weight int16) VecVirtual {
		w := YMM()
		VPADDW(v, v, w)
		VPMULHW(words(name, weight, weight), w, w)
		VPSUBW(words("minus_one", -1, -1), w, w)
		VPSRAW(U8(1), w, w)
		return w
	}
	red := fraction(r, "red", 91881-1<<16)
	VPADDW(r, red, red)
	VPADDW(y, red, red)

	blue := fraction(b, "blue", 116130-2<<16)
	VPADDW(b, blue, blue)
	VPADDW(b, blue, blue)
	VPADDW(y, blue, blue)

	green, high := YMM(), YMM()
	VPUNPCKLWD(r, b, green)
	VPUNPCKHWD(r, b, high)
	for _, v := range []VecVirtual{green, high} {
		VPMADDWD(words("green", -22554, 1<<16-46802), v, v)
		VPADDD(dwords("half_green", 1<<15), v, v)
		VPSRAD(U8(16), v, v)
	}
	VPACKSSDW(high, green, green)
	VPSUBW(r, green, green)
	VPADDW(y, green, green)
	return [3]VecVirtual{red, green, blue}
}

// spread is where each of 16 pixels' bytes go in 48, all modulo 16: no two of a channel
// come to the same place.
func spread(channel int) (mask [16]byte) {
	for pixel := range 16 {
		mask[(3*pixel+channel)%16] = byte(pixel)
	}
	return mask
}

// interleave stores 32 pixels of planes that are spread.
func interleave(planes [3]VecVirtual, dst Register) {
	upper := XMM()
	for third := range 3 {
		mask := func(channel int) Mem {
			begin := (channel - third + 3) % 3
			var m [16]byte
			for i := begin; i < 16; i += 3 {
				m[i] = 0xff
			}
			return bytes(fmt.Sprintf("every_third_from_%d", begin), m)
		}
		out, m := YMM(), YMM()
		VMOVDQU(mask(1), m)
		VPBLENDVB(m, planes[1], planes[0], out)
		VMOVDQU(mask(2), m)
		VPBLENDVB(m, planes[2], out, out)
		VMOVDQU(out.AsX(), Mem{Base: dst, Disp: 16 * third})
		VEXTRACTI128(U8(1), out, upper)
		VMOVDQU(upper, Mem{Base: dst, Disp: 48 + 16*third})
	}
}

// widen loads 16 bytes as words.
func widen(from Mem) VecVirtual {
	v := YMM()
	VPMOVZXBW(from, v)
	return v
}

// triple returns three times a value.
func triple(v VecVirtual) VecVirtual {
	t := YMM()
	VPADDW(v, v, t)
	VPADDW(v, t, t)
	return t
}

// pairs stores words of even and odd pixels as bytes in turn.
func pairs(even, odd VecVirtual, to Mem) {
	VPSLLW(U8(8), odd, odd)
	VPOR(odd, even, even)
	VMOVDQU(even, to)
}

func double() {
	TEXT("doubleAVX2", NOSPLIT, "func(out, in *byte, n int)")
	out, in := Load(Param("out"), GP64()), Load(Param("in"), GP64())
	one, two := YMM(), YMM()
	VMOVDQU(words("one", 1, 1), one)
	VMOVDQU(words("two", 2, 2), two)
	times(16, func(at Register) {
		from := Mem{Base: in, Index: at, Scale: 1}
		three := triple(widen(from))
		even, odd := widen(from.Offset(-1)), widen(from.Offset(1))
		VPADDW(three, even, even)
		VPADDW(one, even, even)
		VPSRLW(U8(2), even, even)
		VPADDW(three, odd, odd)
		VPADDW(two, odd, odd)
		VPSRLW(U8(2), odd, odd)
		pairs(even, odd, Mem{Base: out, Index: at, Scale: 2})
	})
}

func down() {
	TEXT("downAVX2", NOSPLIT, "func(out, in, beside *byte, n int, bias uint16)")
	out, in, beside := Load(Param("out"), GP64()), Load(Param("in"), GP64()), Load(Param("beside"), GP64())
	bias := YMM()
	VPBROADCASTW(NewParamAddr("bias", 32), bias)
	times(16, func(at Register) {
		sum := triple(widen(Mem{Base: in, Index: at, Scale: 1}))
		VPADDW(widen(Mem{Base: beside, Index: at, Scale: 1}), sum, sum)
		VPADDW(bias, sum, sum)
		VPSRLW(U8(2), sum, sum)
		upper := XMM()
		VEXTRACTI128(U8(1), sum, upper)
		VPACKUSWB(upper, sum.AsX(), upper)
		VMOVDQU(upper, Mem{Base: out, Index: at, Scale: 1})
	})
}

func both() {
	TEXT("bothAVX2", NOSPLIT, "func(out, in, beside *byte, n int)")
	out, in, beside := Load(Param("out"), GP64()), Load(Param("in"), GP64()), Load(Param("beside"), GP64())
	seven, eight := YMM(), YMM()
	VMOVDQU(words("seven", 7, 7), seven)
	VMOVDQU(words("eight", 8, 8), eight)
	times(16, func(at Register) {
		column := func(offset int) VecVirtual {
			sum := triple(widen(Mem{Base: in, Index: at, Scale: 1, Disp: offset}))
			VPADDW(widen(Mem{Base: beside, Index: at, Scale: 1, Disp: offset}), sum, sum)
			return sum
		}
		three := triple(column(0))
		even, odd := column(-1), column(1)
		VPADDW(three, even, even)
		VPADDW(eight, even, even)
		VPSRLW(U8(4), even, even)
		VPADDW(three, odd, odd)
		VPADDW(seven, odd, odd)
		VPSRLW(U8(4), odd, odd)
		pairs(even, odd, Mem{Base: out, Index: at, Scale: 2})
	})
}
