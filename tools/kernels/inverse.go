package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A block lies in pairs of rows: (0, 2), (4, 6), (1, 3), (5, 7). Of each, the columns follow
// in the order 0, 2, 1, 3, 4, 6, 5, 7, and of each column two words, those of the pair's
// rows. So what the first pass packs is again pairs, of columns.

// matrix is how the four pairs make one value of a pass: each pair's weights.
type matrix [4][2]int16

// times multiplies and adds the pairs.
func (m matrix) times(pairs [4]VecVirtual) VecVirtual {
	var sum VecVirtual
	for i, weights := range m {
		if weights == [2]int16{} {
			continue
		}
		product := like(pairs[i])
		name := fmt.Sprintf("weights_%d_%d", uint16(weights[0]), uint16(weights[1]))
		VPMADDWD(words(name, weights[0], weights[1]), pairs[i], product)
		if sum != nil {
			VPADDD(product, sum, sum)
		} else {
			sum = product
		}
	}
	return sum
}

// like returns a register of the size of another.
func like(v VecVirtual) VecVirtual {
	if v.Size() == 16 {
		return XMM()
	}
	return YMM()
}

// butterfly returns (even + odd + half) >> shift and (even - odd + half) >> shift.
func butterfly(even, odd VecVirtual, half Mem, shift uint64) (sum, difference VecVirtual) {
	VPADDD(half, even, even)
	sum, difference = like(even), like(even)
	VPADDD(odd, even, sum)
	VPSUBD(odd, even, difference)
	VPSRAD(U8(shift), sum, sum)
	VPSRAD(U8(shift), difference, difference)
	return sum, difference
}

var even8 = [4]matrix{
	{{8192, 10703}, {8192, 4433}},
	{{8192, 4433}, {-8192, -10704}},
	{{8192, -4433}, {-8192, 10704}},
	{{8192, -10703}, {8192, -4433}},
}

var odd8 = [4]matrix{
	{2: {11363, 9633}, 3: {6437, 2260}},
	{2: {9633, -2259}, 3: {-11362, -6436}},
	{2: {6437, -11362}, 3: {2261, 9633}},
	{2: {2260, -6436}, 3: {9633, -11363}},
}

func pass8(pairs [4]VecVirtual, half Mem, shift uint64) (out [8]VecVirtual) {
	for i := range 4 {
		out[i], out[7-i] = butterfly(even8[i].times(pairs), odd8[i].times(pairs), half, shift)
	}
	return out
}

// loadBlock loads the pairs of rows.
func loadBlock() (pairs [4]VecVirtual) {
	block := Mem{Base: Load(Param("block"), GP64())}
	for i := range pairs {
		pairs[i] = YMM()
		VMOVDQU(block.Offset(32*i), pairs[i])
	}
	return pairs
}

// regroup makes pairs of columns of four rows: in the lower lane (0, 2) and (1, 3), in the
// upper one (4, 6) and (5, 7).
func regroup(r0, r1, r2, r3 VecVirtual) (even, odd VecVirtual) {
	even, odd = YMM(), YMM()
	VPACKSSDW(r1, r0, r0)
	VPACKSSDW(r3, r2, r2)
	VSHUFPS(U8(0x88), r2, r0, even)
	VSHUFPS(U8(0xdd), r2, r0, odd)
	return even, odd
}

// transpose4 is a mask: 4 × 4 bytes, columns in the order 0, 2, 1, 3, become rows.
func transpose4() Mem {
	return bytes("transpose4", [16]byte{0, 8, 4, 12, 1, 9, 5, 13, 2, 10, 6, 14, 3, 11, 7, 15})
}

// fourColumns packs four columns into bytes, four of a row after the other.
func fourColumns(x0, x1, x2, x3 VecVirtual) VecVirtual {
	VPACKSSDW(x2, x0, x0)
	VPACKSSDW(x3, x1, x1)
	VPACKUSWB(x1, x0, x0)
	VPSHUFB(transpose4(), x0, x0)
	return x0
}

func inverse8() {
	TEXT("inverse8AVX2", NOSPLIT, "func(dst *byte, stride int, block *[64]int16)")
	rows := pass8(loadBlock(), dwords("half_8_1", 1<<10), 11)
	even0, odd0 := regroup(rows[0], rows[1], rows[2], rows[3])
	even4, odd4 := regroup(rows[4], rows[5], rows[6], rows[7])
	pairs := [4]VecVirtual{YMM(), YMM(), YMM(), YMM()}
	VPERM2I128(U8(0x20), even4, even0, pairs[0])
	VPERM2I128(U8(0x31), even4, even0, pairs[1])
	VPERM2I128(U8(0x20), odd4, odd0, pairs[2])
	VPERM2I128(U8(0x31), odd4, odd0, pairs[3])
	x := pass8(pairs, dwords("half_8_2", 257<<17), 18)
	left, right := fourColumns(x[0], x[1], x[2], x[3]), fourColumns(x[4], x[5], x[6], x[7])

	dst, stride := Load(Param("dst"), GP64()), Load(Param("stride"), GP64())
	first, second := YMM(), YMM() // rows 0, 1, 4, 5 and 2, 3, 6, 7
	VPUNPCKLDQ(right, left, first)
	VPUNPCKHDQ(right, left, second)
	store := func(from Op) {
		VMOVQ(from, Mem{Base: dst})
		VMOVHPS(from, Mem{Base: dst, Index: stride, Scale: 1})
		LEAQ(Mem{Base: dst, Index: stride, Scale: 2}, dst)
	}
	store(first.AsX())
	store(second.AsX())
	upper := XMM()
	VEXTRACTI128(U8(1), first, upper)
	store(upper)
	VEXTRACTI128(U8(1), second, upper)
	store(upper)
	VZEROUPPER()
	RET()
}

var even4 = [2]matrix{{{16384, 15137}, {0, -6270}}, {{16384, -15137}, {0, 6270}}}

var odd4 = [2]matrix{{2: {20995, 7373}, 3: {-4926, -4176}}, {2: {8697, -17799}, 3: {11893, -1730}}}

func pass4(pairs [4]VecVirtual, half Mem, shift uint64) (out [4]VecVirtual) {
	for i := range 2 {
		out[i], out[3-i] = butterfly(even4[i].times(pairs), odd4[i].times(pairs), half, shift)
	}
	return out
}

func inverse4() {
	TEXT("inverse4AVX2", NOSPLIT, "func(dst *byte, stride int, block *[64]int16)")
	rows := pass4(loadBlock(), dwords("half_4_1", 1<<11), 12)
	even, odd := regroup(rows[0], rows[1], rows[2], rows[3])
	pairs := [4]VecVirtual{even.AsX().(VecVirtual), XMM(), odd.AsX().(VecVirtual), XMM()}
	VEXTRACTI128(U8(1), even, pairs[1])
	VEXTRACTI128(U8(1), odd, pairs[3])
	x := pass4(pairs, dwords("half_4_2", 257<<18), 19)
	pixels := fourColumns(x[0], x[1], x[2], x[3])

	dst, stride := Load(Param("dst"), GP64()), Load(Param("stride"), GP64())
	for row := range 4 {
		VPEXTRD(U8(uint64(row)), pixels, Mem{Base: dst})
		if row < 3 {
			ADDQ(stride, dst)
		}
	}
	VZEROUPPER()
	RET()
}

func inverse2() {
	TEXT("inverse2AVX2", NOSPLIT, "func(dst *byte, stride int, block *[64]int16)")
	pairs := loadBlock()
	odd := matrix{2: {29692, -10426}, 3: {6967, -5906}}.times(pairs)
	even := pairs[0]
	VPSLLD(U8(16), even, even) // the first of the pair, times 1 << 15
	VPSRAD(U8(1), even, even)
	row0, row1 := butterfly(even, odd, dwords("half_2_1", 1<<12), 13)
	VPACKSSDW(row1, row0, row0) // pairs of columns: (0, 2), (1, 3) of both rows, in the upper lane (4, 6), (5, 7)

	products, t, upper := YMM(), XMM(), XMM()
	pair := func(a, b int16) uint32 { return uint32(uint16(a)) | uint32(uint16(b))<<16 }
	VPMADDWD(dwords("columns_2", 0, pair(29692, -10426), 0, pair(29692, -10426), 0, pair(6967, -5906), 0,
		pair(6967, -5906)), row0, products)
	VEXTRACTI128(U8(1), products, upper)
	VPADDD(products.AsX(), upper, upper)
	VPSRLQ(U8(32), upper, upper)
	VPSLLD(U8(16), row0.AsX(), t)
	VPSRAD(U8(1), t, t)
	left, right := butterfly(t, upper, dwords("half_2_2", 257<<19), 20)
	VPACKSSDW(right, left, left)
	VPACKUSWB(left, left, left)
	VPSHUFB(bytes("transpose2", [16]byte{0, 4, 2, 6}), left, left)

	dst, stride := Load(Param("dst"), GP64()), Load(Param("stride"), GP64())
	VPEXTRW(U8(0), left, Mem{Base: dst})
	VPEXTRW(U8(1), left, Mem{Base: dst, Index: stride, Scale: 1})
	VZEROUPPER()
	RET()
}
