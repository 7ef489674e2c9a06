package jpeg

import "encoding/binary"

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

// inverse writes the pixels of the block, size × size of them, to dst. last is
// the place of its last coefficient: most blocks are a plain colour.
func (d *decoder) inverse(dst []byte, stride, size, last int) {
	switch {
	case last == 0 || size == 1:
		plain := clamp((d.block[0]+4)>>3 + 128)
		for y := range size {
			row := dst[y*stride:][:size]
			for x := range row {
				row[x] = plain
			}
		}
	case size == 8:
		inverse8(&d.block, dst, stride)
	case size == 4:
		inverse4(&d.block, dst, stride)
	default:
		inverse2(&d.block, dst, stride)
	}
}

func descale(v int32, bits uint) int32 { return (v + 1<<(bits-1)) >> bits }

// clamp takes no branch: where pictures are black or white, none is foreseen well.
func clamp(v int32) uint8 {
	v &^= v >> 31
	return uint8(v | (255-v)>>31)
}

// inverse8 is the accurate integer inverse DCT of Loeffler, Ligtenberg and
// Moschytz, columns first.
func inverse8(b *[64]int32, dst []byte, stride int) {
	for i := range 8 {
		if b[8+i]|b[16+i]|b[24+i]|b[32+i]|b[40+i]|b[48+i]|b[56+i] == 0 {
			dc := b[i] << passBits
			b[i], b[8+i], b[16+i], b[24+i] = dc, dc, dc, dc
			b[32+i], b[40+i], b[48+i], b[56+i] = dc, dc, dc, dc
			continue
		}
		const shift, half = constBits - passBits, 1 << (constBits - passBits - 1)
		e0, e1, e2, e3 := even(b[i], b[16+i], b[32+i], b[48+i], half)
		o0, o1, o2, o3 := odd(b[8+i], b[24+i], b[40+i], b[56+i])
		b[i], b[56+i] = (e0+o0)>>shift, (e0-o0)>>shift
		b[8+i], b[48+i] = (e1+o1)>>shift, (e1-o1)>>shift
		b[16+i], b[40+i] = (e2+o2)>>shift, (e2-o2)>>shift
		b[24+i], b[32+i] = (e3+o3)>>shift, (e3-o3)>>shift
	}
	for y := range 8 {
		row := (*[8]uint8)(dst[y*stride:])
		r := (*[8]int32)(b[8*y:])
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

// inverse4 makes 4 × 4 pixels of a block: its lower frequencies' inverse DCT.
func inverse4(b *[64]int32, dst []byte, stride int) {
	pass := func(x0, x1, x2, x3, x5, x6, x7 int32) (y0, y1, y2, y3 int32) {
		t0 := x0 << (constBits + 1)
		t2 := x2*fix1_847759065 - x6*fix0_765366865
		t10, t12 := t0+t2, t0-t2
		t0 = x5*fix1_451774981 - x7*fix0_211164243 - x3*fix2_172734803 + x1*fix1_061594337
		t2 = x3*fix0_899976223 - x7*fix0_509795579 - x5*fix0_601344887 + x1*fix2_562915447
		return t10 + t2, t12 + t0, t12 - t0, t10 - t2
	}
	for i := range 8 {
		if i == 4 {
			continue
		}
		const shift = constBits - passBits + 1
		y0, y1, y2, y3 := pass(b[i], b[8+i], b[16+i], b[24+i], b[40+i], b[48+i], b[56+i])
		b[i], b[8+i], b[16+i], b[24+i] = descale(y0, shift), descale(y1, shift), descale(y2, shift), descale(y3, shift)
	}
	for y := range 4 {
		row := (*[4]uint8)(dst[y*stride:])
		r := (*[8]int32)(b[8*y:])
		const shift, centre = constBits + passBits + 3 + 1, 128
		y0, y1, y2, y3 := pass(r[0], r[1], r[2], r[3], r[5], r[6], r[7])
		row[0], row[1] = clamp(descale(y0, shift)+centre), clamp(descale(y1, shift)+centre)
		row[2], row[3] = clamp(descale(y2, shift)+centre), clamp(descale(y3, shift)+centre)
	}
}

// inverse2 makes 2 × 2 pixels of a block.
func inverse2(b *[64]int32, dst []byte, stride int) {
	pass := func(x0, x1, x3, x5, x7 int32) (y0, y1 int32) {
		t10 := x0 << (constBits + 2)
		t0 := x5*fix0_850430095 - x7*fix0_720959822 - x3*fix1_272758580 + x1*fix3_624509785
		return t10 + t0, t10 - t0
	}
	for _, i := range [...]int{0, 1, 3, 5, 7} {
		const shift = constBits - passBits + 2
		y0, y1 := pass(b[i], b[8+i], b[24+i], b[40+i], b[56+i])
		b[i], b[8+i] = descale(y0, shift), descale(y1, shift)
	}
	for y := range 2 {
		row := (*[2]uint8)(dst[y*stride:])
		r := (*[8]int32)(b[8*y:])
		const shift, centre = constBits + passBits + 3 + 2, 128
		y0, y1 := pass(r[0], r[1], r[3], r[5], r[7])
		row[0], row[1] = clamp(descale(y0, shift)+centre), clamp(descale(y1, shift)+centre)
	}
}
