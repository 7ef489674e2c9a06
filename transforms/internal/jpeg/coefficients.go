package jpeg

// zigzag is where the coefficients of a block lie.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// coefficients decodes and dequantizes the next block. It returns the place, in zigzag order, of the last one that may
// not be zero, and whether codes made sense.
func (d *Decoder) coefficients(c *component) (last int, ok bool) {
	k, e := d.codes(c)
	if e&endOfBlock != 0 {
		return k - endOfBlock>>8, true
	}
	return min(k, 63), e != 0 && (k <= 63 || e>>16 == 0) // zeros may go on behind the end
}

// codesGo decodes the codes of a block. It returns the place where it stopped, with the last entry's run, and that
// entry, which is 0 where a code made no sense.
func (d *Decoder) codesGo(c *component) (k int, e entry) {
	d.block = block{}
	b, q, ac := &d.block, c.quant, c.ac
	data := d.bits.data
	pos, acc, n := refill(data, d.bits.pos, d.bits.acc, d.bits.n)
	if e = c.dc.look[acc>>(64-lookBits)]; e&notWhole != 0 {
		e = c.dc.whole(e, acc)
	}
	acc <<= e & entryLength
	n -= int(e & entryLength)
	c.pred += int32(e) >> 16
	b[0] = int16(c.pred * q[0])
	for k < 63 && e != 0 {
		if n < 32 {
			pos, acc, n = refill(data, pos, acc, n)
		}
		if e = ac.look[acc>>(64-lookBits)]; e&notWhole != 0 {
			e = ac.whole(e, acc)
		}
		acc <<= e & entryLength
		n -= int(e & entryLength)
		if k += int(e>>8) & 0xff; k > 63 {
			break
		}
		if e != 0 {
			b[places[k&63]&63] = int16(int32(e) >> 16 * q[k&63])
		}
	}
	d.bits.pos, d.bits.acc, d.bits.n = pos, acc, n
	return k, e
}
