package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// What package jpeg has: how many bits are looked up at once and, of a longer code, behind them; the bit of an entry
// that is not whole.
const (
	lookBits    = 11
	longBits    = 5
	notWholeBit = 7
)

// decoder is the registers in which a block is decoded.
type decoder struct {
	next, acc, n Register // of the struct bits: data + pos, acc, n
	e, v, t      GPVirtual
}

func (d decoder) refill() {
	MOVQ(Mem{Base: d.next}, d.t)
	BSWAPQ(d.t)
	SHRXQ(d.n, d.t, d.t)
	ORQ(d.t, d.acc)
	MOVQ(U32(63), d.t)
	SUBQ(d.n, d.t)
	SHRQ(U8(3), d.t)
	ADDQ(d.t, d.next)
	ORQ(U8(56), d.n)
}

// lookUp looks the next code up, and goes to notWhole if its entry is not whole.
func (d decoder) lookUp(table Register, notWhole string) {
	MOVQ(d.acc, d.t)
	SHRQ(U8(64-lookBits), d.t)
	MOVL(Mem{Base: table, Index: d.t, Scale: 4}, d.e.As32())
	BTL(U8(notWholeBit), d.e.As32())
	JCS(LabelRef(notWhole))
}

// take takes the entry's bits.
func (d decoder) take() {
	SHLXQ(d.e, d.acc, d.acc) // by the lowest 6 bits, the length
	MOVL(d.e.As32(), d.t.As32())
	ANDL(U8(63), d.t.As32())
	SUBQ(d.t, d.n)
}

// value takes a whole entry's value.
func (d decoder) value() {
	MOVL(d.e.As32(), d.v.As32())
	SARL(U8(16), d.v.As32())
}

// whole makes an entry whole, and takes its bits and its value. It goes to end where there is no such code.
func (d decoder) whole(table Register, name, end string) {
	d.refill()
	TESTL(U32(63), d.e.As32())
	JNE(LabelRef(name + "_value"))
	MOVQ(d.acc, d.t)
	SHLQ(U8(lookBits), d.t)
	SHRQ(U8(64-longBits), d.t)
	SHRL(U8(16), d.e.As32())
	SHLL(U8(longBits), d.e.As32())
	ADDQ(d.e, d.t)
	MOVL(Mem{Base: table, Index: d.t, Scale: 4, Disp: 4 << lookBits}, d.e.As32())
	TESTL(d.e.As32(), d.e.As32())
	JEQ(LabelRef(end))
	BTL(U8(notWholeBit), d.e.As32())
	JCS(LabelRef(name + "_value"))
	d.take()
	d.value()
	JMP(LabelRef(name + "_whole"))

	Label(name + "_value")
	size, bits := GP64(), GP64()
	MOVL(d.e.As32(), size.As32())
	SHRL(U8(16), size.As32())
	SHLXQ(d.e, d.acc, bits)
	ADDQ(size, d.e) // the length with the value
	MOVQ(size, d.t)
	NEGQ(d.t)
	SHRXQ(d.t, bits, d.v) // by 64 - size
	SARQ(U8(63), bits)
	NOTQ(bits) // all ones where the value is negative
	SHLXQ(size, bits, d.t)
	SUBQ(d.t, bits) // then 1 << size - 1, and else 0
	SUBQ(bits, d.v)
	d.take()
	MOVL(d.v.As32(), d.t.As32()) // the value goes where a whole entry has it
	SHLL(U8(16), d.t.As32())
	ANDL(U32(0xffff), d.e.As32())
	ORL(d.t.As32(), d.e.As32())
	Label(name + "_whole")
}

func codes() {
	const unrolled = 4 // codes that 56 bits are enough for, if their entries are whole
	TEXT("codesAVX2", NOSPLIT,
		"func(b, dc, ac *uint32, quant *int32, places *uint8, block *int16, pred *int32) (k int, e uint32)")
	block := Load(Param("block"), GP64())
	zero := YMM()
	VPXOR(zero, zero, zero)
	for i := range 4 {
		VMOVDQU(zero, Mem{Base: block, Disp: 32 * i})
	}
	VZEROUPPER()
	b := Load(Param("b"), GP64())
	field := func(i int) Mem { return Mem{Base: b, Disp: 8 * i} } // data is three words, then pos, acc, n
	d := decoder{next: GP64(), acc: GP64(), n: GP64(), e: GP64(), v: GP64(), t: GP64()}
	MOVQ(field(0), d.next)
	ADDQ(field(3), d.next)
	MOVQ(field(4), d.acc)
	MOVQ(field(5), d.n)
	quant, k := Load(Param("quant"), GP64()), GP64()
	XORQ(k, k)

	table := Load(Param("dc"), GP64())
	d.refill()
	d.lookUp(table, "dc_not_whole")
	d.take()
	d.value()
	JMP(LabelRef("dc_whole"))
	Label("dc_not_whole")
	d.whole(table, "dc", "end")
	pred := Load(Param("pred"), GP64())
	ADDL(Mem{Base: pred}, d.v.As32())
	MOVL(d.v.As32(), Mem{Base: pred})
	IMULL(Mem{Base: quant}, d.v.As32())
	MOVW(d.v.As16(), Mem{Base: block})

	Load(Param("ac"), table)
	places := Load(Param("places"), GP64())
	// store goes on by the entry's run and stores the value there, or ends the block.
	store := func() {
		MOVL(d.e.As32(), d.t.As32())
		SHRL(U8(8), d.t.As32())
		ANDL(U32(0xff), d.t.As32())
		ADDQ(d.t, k)
		CMPQ(k, U8(63))
		JA(LabelRef("end"))
		IMULL(Mem{Base: quant, Index: k, Scale: 4}, d.v.As32())
		MOVBQZX(Mem{Base: places, Index: k, Scale: 1}, d.t)
		MOVW(d.v.As16(), Mem{Base: block, Index: d.t, Scale: 2})
		CMPQ(k, U8(63))
		JE(LabelRef("end"))
	}
	Label("fill")
	d.refill()
	for range unrolled {
		d.lookUp(table, "ac_not_whole")
		d.take()
		d.value()
		store()
	}
	JMP(LabelRef("fill"))
	Label("ac_not_whole")
	d.whole(table, "ac", "end")
	store()
	JMP(LabelRef("fill"))

	Label("end")
	SUBQ(field(0), d.next)
	MOVQ(d.next, field(3))
	MOVQ(d.acc, field(4))
	MOVQ(d.n, field(5))
	Store(k, ReturnIndex(0))
	Store(d.e.As32(), ReturnIndex(1))
	RET()
}
