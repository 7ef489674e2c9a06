package jpeg

import (
	"encoding/binary"
	"math"
)

// Constants of the inverse DCTs: of that many bits of fraction, as in libjpeg.
const (
	constBits = 13
	passBits  = 2 // kept between the passes

	fix0_211164243 = 1730
	fix0_298631336 = 2446
	fix0_390180644 = 3196
	fix0_509795579 = 4176
	fix0_541196100 = 4433
	fix0_601344887 = 4926
	fix0_720959822 = 5906
	fix0_765366865 = 6270
	fix0_850430095 = 6967
	fix0_899976223 = 7373
	fix1_061594337 = 8697
	fix1_175875602 = 9633
	fix1_272758580 = 10426
	fix1_451774981 = 11893
	fix1_501321110 = 12299
	fix1_847759065 = 15137
	fix1_961570560 = 16069
	fix2_053119869 = 16819
	fix2_172734803 = 17799
	fix2_562915447 = 20995
	fix3_072711026 = 25172
	fix3_624509785 = 29692
)

// A block is 64 coefficients in the order that suits the kernels: rows in pairs, (0, 2), (4, 6), (1, 3) and (5, 7), and
// of each pair the columns 0, 2, 1, 3, 4, 6, 5, 7, two coefficients each. Coefficients, and what the first pass makes,
// are of 16 bits, as in libjpeg-turbo's kernels: those of real pictures fit, others wrap around or saturate.
type block = [64]int16

// columns are the columns of a block, in the order in which they lie.
var columns = [8]uint8{0, 2, 1, 3, 4, 6, 5, 7}

// places is where the coefficients of a block lie, in zigzag order.
var places = func() (places [64]uint8) {
	pair := [8]uint8{0: 0, 2: 1, 4: 16, 6: 17, 1: 32, 3: 33, 5: 48, 7: 49}
	var column [8]uint8
	for i, c := range columns {
		column[c] = 2 * uint8(i)
	}
	for k, natural := range zigzag {
		places[k] = pair[natural/8] + column[natural%8]
	}
	return places
}()

// inverseGo writes the pixels of a block, size × size of them, to dst.
func inverseGo(dst []byte, stride, size int, b *block) {
	switch size {
	case 8:
		inverse8Go(dst, stride, b)
	case 4:
		inverse4Go(dst, stride, b)
	default:
		inverse2Go(dst, stride, b)
	}
}

// plain writes the size × size pixels of a block that has but its first coefficient.
func plain(dst []byte, stride, size int, dc int16) {
	v := clamp((int32(dc)+4)>>3 + 128)
	for y := range size {
		row := dst[y*stride:][:size]
		for x := range row {
			row[x] = v
		}
	}
}

func descale(v int32, bits uint) int32 { return (v + 1<<(bits-1)) >> bits }

// clamp takes no branch: where pictures are black or white, none is foreseen well.
func clamp(v int32) uint8 {
	v &^= v >> 31
	return uint8(v | (255-v)>>31)
}

func saturate(v int32) int32 { return min(max(v, math.MinInt16), math.MaxInt16) }

// column returns the coefficients of the column that lies in place i of a block, in the order of their rows.
func column(b *block, i int) (x0, x1, x2, x3, x4, x5, x6, x7 int32) {
	i = 2 * (i & 7)
	return int32(b[i]), int32(b[32+i]), int32(b[1+i]), int32(b[33+i]),
		int32(b[16+i]), int32(b[48+i]), int32(b[17+i]), int32(b[49+i])
}

// inverse8Go is the accurate integer inverse DCT of Loeffler, Ligtenberg and Moschytz, columns first.
func inverse8Go(dst []byte, stride int, b *block) {
	var w [64]int32
	for i, at := range columns {
		w := (*[57]int32)(w[at:])
		x0, x1, x2, x3, x4, x5, x6, x7 := column(b, i)
		if x1|x2|x3|x4|x5|x6|x7 == 0 {
			dc := saturate(x0 << passBits)
			w[0], w[8], w[16], w[24], w[32], w[40], w[48], w[56] = dc, dc, dc, dc, dc, dc, dc, dc
			continue
		}
		const shift, half = constBits - passBits, 1 << (constBits - passBits - 1)
		e0, e1, e2, e3 := even(x0, x2, x4, x6, half)
		o0, o1, o2, o3 := odd(x1, x3, x5, x7)
		w[0], w[56] = (e0+o0)>>shift, (e0-o0)>>shift
		w[8], w[48] = (e1+o1)>>shift, (e1-o1)>>shift
		w[16], w[40] = (e2+o2)>>shift, (e2-o2)>>shift
		w[24], w[32] = (e3+o3)>>shift, (e3-o3)>>shift
		const l = -math.MinInt16
		if uint32((w[0]+l)|(w[8]+l)|(w[16]+l)|(w[24]+l)|(w[32]+l)|(w[40]+l)|(w[48]+l)|(w[56]+l)) > math.MaxUint16 {
			for y := 0; y < 64; y += 8 {
				w[y] = saturate(w[y])
			}
		}
	}
	for y := range 8 {
		row := (*[8]uint8)(dst[y*stride:])
		r := (*[8]int32)(w[8*y:])
		const shift, half = constBits + passBits + 3, (128<<1 + 1) << (constBits + passBits + 2) // 128 is grey
		e0, e1, e2, e3 := even(r[0], r[2], r[4], r[6], half)
		o0, o1, o2, o3 := odd(r[1], r[3], r[5], r[7])
		y0, y7, y1, y6 := (e0+o0)>>shift, (e0-o0)>>shift, (e1+o1)>>shift, (e1-o1)>>shift
		y2, y5, y3, y4 := (e2+o2)>>shift, (e2-o2)>>shift, (e3+o3)>>shift, (e3-o3)>>shift
		if uint32(y0|y1|y2|y3|y4|y5|y6|y7) > 255 {
			*row = [8]uint8{clamp(y0), clamp(y1), clamp(y2), clamp(y3), clamp(y4), clamp(y5), clamp(y6), clamp(y7)}
			continue
		}
		binary.LittleEndian.PutUint64(row[:], uint64(y0|y1<<8|y2<<16|y3<<24)&(1<<32-1)|uint64(y4|y5<<8|y6<<16|y7<<24)<<32)
	}
}

// even is the half of a pass that the even values make, with what rounds added.
func even(x0, x2, x4, x6, half int32) (e0, e1, e2, e3 int32) {
	z := (x2 + x6) * fix0_541196100
	t2 := z - x6*fix1_847759065
	t3 := z + x2*fix0_765366865
	t0, t1 := (x0+x4)<<constBits+half, (x0-x4)<<constBits+half
	return t0 + t3, t1 + t2, t1 - t2, t0 - t3
}

func odd(x1, x3, x5, x7 int32) (o0, o1, o2, o3 int32) {
	z1, z2 := (x7+x1)*-fix0_899976223, (x5+x3)*-fix2_562915447
	z3, z4 := x7+x3, x5+x1
	z5 := (z3 + z4) * fix1_175875602
	z3, z4 = z5-z3*fix1_961570560, z5-z4*fix0_390180644
	return x1*fix1_501321110 + z1 + z4, x3*fix3_072711026 + z2 + z3,
		x5*fix2_053119869 + z2 + z4, x7*fix0_298631336 + z1 + z3
}

// inverse4Go makes 4 × 4 pixels of a block: its lower frequencies' inverse DCT.
func inverse4Go(dst []byte, stride int, b *block) {
	pass := func(x0, x1, x2, x3, x5, x6, x7 int32) (y0, y1, y2, y3 int32) {
		t0 := x0 << (constBits + 1)
		t2 := x2*fix1_847759065 - x6*fix0_765366865
		t10, t12 := t0+t2, t0-t2
		t0 = x5*fix1_451774981 - x7*fix0_211164243 - x3*fix2_172734803 + x1*fix1_061594337
		t2 = x3*fix0_899976223 - x7*fix0_509795579 - x5*fix0_601344887 + x1*fix2_562915447
		return t10 + t2, t12 + t0, t12 - t0, t10 - t2
	}
	var w [4][8]int32
	for i, at := range columns {
		if at == 4 {
			continue
		}
		const shift = constBits - passBits + 1
		x0, x1, x2, x3, _, x5, x6, x7 := column(b, i)
		y0, y1, y2, y3 := pass(x0, x1, x2, x3, x5, x6, x7)
		w[0][at], w[1][at] = saturate(descale(y0, shift)), saturate(descale(y1, shift))
		w[2][at], w[3][at] = saturate(descale(y2, shift)), saturate(descale(y3, shift))
	}
	for y := range 4 {
		row := (*[4]uint8)(dst[y*stride:])
		r := &w[y]
		const shift, half = constBits + passBits + 3 + 1, (128<<1 + 1) << (constBits + passBits + 3)
		y0, y1, y2, y3 := pass(r[0], r[1], r[2], r[3], r[5], r[6], r[7])
		row[0], row[1] = clamp((y0+half)>>shift), clamp((y1+half)>>shift)
		row[2], row[3] = clamp((y2+half)>>shift), clamp((y3+half)>>shift)
	}
}

// inverse2Go makes 2 × 2 pixels of a block.
func inverse2Go(dst []byte, stride int, b *block) {
	pass := func(x0, x1, x3, x5, x7 int32) (y0, y1 int32) {
		t10 := x0 << (constBits + 2)
		t0 := x5*fix0_850430095 - x7*fix0_720959822 - x3*fix1_272758580 + x1*fix3_624509785
		return t10 + t0, t10 - t0
	}
	var w [2][8]int32
	for i, at := range columns {
		if at&1 == 0 && at > 0 {
			continue
		}
		const shift = constBits - passBits + 2
		x0, x1, _, x3, _, x5, _, x7 := column(b, i)
		y0, y1 := pass(x0, x1, x3, x5, x7)
		w[0][at], w[1][at] = saturate(descale(y0, shift)), saturate(descale(y1, shift))
	}
	for y := range 2 {
		row := (*[2]uint8)(dst[y*stride:])
		r := &w[y]
		const shift, half = constBits + passBits + 3 + 2, (128<<1 + 1) << (constBits + passBits + 4)
		y0, y1 := pass(r[0], r[1], r[3], r[5], r[7])
		row[0], row[1] = clamp((y0+half)>>shift), clamp((y1+half)>>shift)
	}
}
