package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// frequencies decodes like frequenciesGo, up to a code that is longer than what is looked up at once. For that it returns
// its entry with the bits not taken.
func frequencies() {
	const (
		lookBits = 11
		notWhole = 1 << 7
		unrolled = 4 // codes that 56 bits are enough for, if they are whole
	)
	TEXT("frequenciesBMI2", NOSPLIT, "func(b, look *uint32, quant *int32, places *uint8, block *int16) (k int, e uint32)")
	b := Load(Param("b"), GP64())
	look, quant := Load(Param("look"), GP64()), Load(Param("quant"), GP64())
	places, block := Load(Param("places"), GP64()), Load(Param("block"), GP64())
	field := func(i int) Mem { return Mem{Base: b, Disp: 8 * i} } // data is three words, then pos, acc, n
	next, acc, n, k := GP64(), GP64(), GP64(), GP64()
	MOVQ(field(0), next)
	ADDQ(field(3), next)
	MOVQ(field(4), acc)
	MOVQ(field(5), n)
	XORQ(k, k)
	e, t, v := GP64(), GP64(), GP64()

	refill := func() {
		MOVQ(Mem{Base: next}, t)
		BSWAPQ(t)
		SHRXQ(n, t, t)
		ORQ(t, acc)
		MOVQ(U32(63), t)
		SUBQ(n, t)
		SHRQ(U8(3), t)
		ADDQ(t, next)
		ORQ(U8(56), n)
	}
	lookUp := func() {
		MOVQ(acc, t)
		SHRQ(U8(64-lookBits), t)
		MOVL(Mem{Base: look, Index: t, Scale: 4}, e.As32())
		BTL(U8(7), e.As32())
	}
	// store goes on by the entry's run and stores the value v there, or ends the block.
	store := func() {
		MOVL(e.As32(), t.As32())
		SHRL(U8(8), t.As32())
		ANDL(U32(0xff), t.As32())
		ADDQ(t, k)
		CMPQ(k, U8(63))
		JA(LabelRef("end"))
		IMULL(Mem{Base: quant, Index: k, Scale: 4}, v.As32())
		MOVBQZX(Mem{Base: places, Index: k, Scale: 1}, t)
		MOVW(v.As16(), Mem{Base: block, Index: t, Scale: 2})
		CMPQ(k, U8(63))
		JE(LabelRef("end"))
	}

	Label("fill")
	refill()
	for range unrolled {
		lookUp()
		JCS(LabelRef("behind"))
		SHLXQ(e, acc, acc) // by the entry's lowest 6 bits, its length
		MOVL(e.As32(), t.As32())
		ANDL(U8(63), t.As32())
		SUBQ(t, n)
		MOVL(e.As32(), v.As32())
		SARL(U8(16), v.As32())
		store()
	}
	JMP(LabelRef("fill"))

	Label("behind")
	CMPL(e.As32(), U32(notWhole))
	JE(LabelRef("end"))
	refill()
	size, bits := GP64(), GP64()
	MOVL(e.As32(), size.As32())
	SHRL(U8(16), size.As32())
	SHLXQ(e, acc, bits)
	ADDQ(size, e) // the length with the value
	MOVQ(bits, v)
	SARQ(U8(63), bits)
	NOTQ(bits) // all ones where the value is negative
	MOVQ(size, t)
	NEGQ(t)
	SHRXQ(t, v, v) // by 64 - size
	SHLXQ(size, bits, t)
	SUBQ(t, bits) // 0, or 1 << size - 1
	SUBQ(bits, v)
	MOVL(e.As32(), t.As32())
	ANDL(U8(63), t.As32())
	SUBQ(t, n)
	SHLXQ(e, acc, acc)
	MOVL(v.As32(), size.As32()) // the value goes where a whole entry has it
	SHLL(U8(16), size.As32())
	ANDL(U32(0xffff), e.As32())
	ORL(size.As32(), e.As32())
	store()
	JMP(LabelRef("fill"))

	Label("end")
	SUBQ(field(0), next)
	MOVQ(next, field(3))
	MOVQ(acc, field(4))
	MOVQ(n, field(5))
	Store(k, ReturnIndex(0))
	Store(e.As32(), ReturnIndex(1))
	RET()
}
