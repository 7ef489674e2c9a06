package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// weightBits is the fraction of a weight.
const weightBits = 22

func across() {
	TEXT("acrossAVX2", NOSPLIT, "func(dst, src *byte, first *int32, weights *[8]int16, groups, n int)")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	first, weights := Load(Param("first"), GP64()), Load(Param("weights"), GP64())
	groups := Load(Param("groups"), GP64())
	n := Load(Param("n"), GP64())

	// Of four pixels, pairs of words of each channel: of the first two in the lower lane, of
	// the others in the upper one.
	const none = 0x80
	shuffle, spreadLow, spreadHigh, half := YMM(), YMM(), YMM(), XMM()
	lane := func(first byte) (d [4]uint32) {
		for channel := range byte(3) {
			d[channel] = uint32(first+channel) | none<<8 | uint32(first+3+channel)<<16 | none<<24
		}
		d[3] = none | none<<8 | none<<16 | none<<24
		return d
	}
	low, high := lane(0), lane(6)
	VMOVDQU(dwords("pairs_of_pixels", append(low[:], high[:]...)...), shuffle)
	VMOVDQU(dwords("low_weights", 0, 0, 0, 0, 1, 1, 1, 1), spreadLow)
	VMOVDQU(dwords("high_weights", 2, 2, 2, 2, 3, 3, 3, 3), spreadHigh)
	VMOVDQU(dwords("half_weight", 1<<(weightBits-1)).Offset(0), half)

	Label("pixel")
	from, left := GP64(), GP64()
	MOVLQSX(Mem{Base: first}, from)
	ADDQ(src, from)
	MOVQ(groups, left)
	sumLow, sumHigh := YMM(), YMM()
	VPXOR(sumLow, sumLow, sumLow)
	VPXOR(sumHigh, sumHigh, sumHigh)

	Label("group")
	pixels, w, product := YMM(), YMM(), YMM()
	VBROADCASTI128(Mem{Base: from}, pixels)
	VPSHUFB(shuffle, pixels, pixels)
	VBROADCASTI128(Mem{Base: weights}, w)
	VPERMILPS(spreadLow, w, product)
	VPMADDWD(product, pixels, product)
	VPADDD(product, sumLow, sumLow)
	VPERMILPS(spreadHigh, w, product)
	VPMADDWD(product, pixels, product)
	VPADDD(product, sumHigh, sumHigh)
	ADDQ(U8(12), from)
	ADDQ(U8(16), weights)
	DECQ(left)
	JNZ(LabelRef("group"))

	VPSLLD(U8(12), sumHigh, sumHigh)
	VPADDD(sumHigh, sumLow, sumLow)
	upper := XMM()
	VEXTRACTI128(U8(1), sumLow, upper)
	VPADDD(sumLow.AsX(), upper, upper)
	VPADDD(half, upper, upper)
	VPSRAD(U8(weightBits), upper, upper)
	VPACKSSDW(upper, upper, upper)
	VPACKUSWB(upper, upper, upper)
	VMOVD(upper, Mem{Base: dst})
	ADDQ(U8(3), dst)
	ADDQ(U8(4), first)
	DECQ(n)
	JNZ(LabelRef("pixel"))
	VZEROUPPER()
	RET()
}

func weigh() {
	TEXT("weighAVX2", NOSPLIT, "func(dst, src *byte, stride int, weights *int32, rows, n int)")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	stride, weights := Load(Param("stride"), GP64()), Load(Param("weights"), GP64())
	rows := Load(Param("rows"), GP64())
	half, order := YMM(), YMM()
	VMOVDQU(dwords("half_weight", 1<<(weightBits-1)), half)
	VMOVDQU(dwords("order", 0, 4, 1, 5, 2, 6, 3, 7), order)
	times(32, func(at Register) {
		var sums [4]VecVirtual
		for i := range sums {
			sums[i] = YMM()
			VMOVDQA(half, sums[i])
		}
		from, weight, left := GP64(), GP64(), GP64()
		LEAQ(Mem{Base: src, Index: at, Scale: 1}, from)
		MOVQ(weights, weight)
		MOVQ(rows, left)
		Label("row")
		w := YMM()
		VPBROADCASTD(Mem{Base: weight}, w)
		for i := range sums {
			v := YMM()
			VPMOVZXBD(Mem{Base: from, Disp: 8 * i}, v)
			VPMULLD(w, v, v)
			VPADDD(v, sums[i], sums[i])
		}
		ADDQ(stride, from)
		ADDQ(U8(4), weight)
		DECQ(left)
		JNZ(LabelRef("row"))
		for i := range sums {
			VPSRAD(U8(weightBits), sums[i], sums[i])
		}
		VPACKSSDW(sums[1], sums[0], sums[0])
		VPACKSSDW(sums[3], sums[2], sums[2])
		VPACKUSWB(sums[2], sums[0], sums[0])
		VPERMD(sums[0], order, sums[0])
		VMOVDQU(sums[0], Mem{Base: dst, Index: at, Scale: 1})
	})
}

func unit() {
	TEXT("unitAVX2", NOSPLIT, "func(dst, src *byte, n int)")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	all := YMM()
	VMOVDQU(dwords("float_255", 0x437f0000), all)
	times(8, func(at Register) {
		v := YMM()
		VPMOVZXBD(Mem{Base: src, Index: at, Scale: 1}, v)
		VCVTDQ2PS(v, v)
		VDIVPS(all, v, v)
		VMOVUPS(v, Mem{Base: dst, Index: at, Scale: 4})
	})
}
