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
	b, q, ac := &d.block, c.quant, c.ac
	*b = block{}
	data, pos, acc, n := d.bits.data, d.bits.pos, d.bits.acc, d.bits.n
	if n < 32 {
		pos, acc, n = refill(data, pos, acc, n)
	}
	e := c.dc.look[acc>>(64-lookBits)]
	if e == 0 {
		e = c.dc.long(acc, true)
	}
	if e&valueBehind != 0 {
		e = e.withValue(acc)
	}
	if e == 0 {
		return 0, false
	}
	acc <<= e & entryLength
	n -= int(e & entryLength)
	c.pred += int32(e) >> 16
	b[0] = int16(c.pred * q[0])

	k := 0
	for k < 63 {
		if n < 32 {
			pos, acc, n = refill(data, pos, acc, n)
		}
		e = ac.look[acc>>(64-lookBits)]
		if e == 0 || e&valueBehind != 0 {
			if e == 0 {
				if e = ac.long(acc, false); e == 0 {
					return 0, false
				}
			}
			if e&valueBehind != 0 {
				e = e.withValue(acc)
			}
		}
		acc <<= e & entryLength
		n -= int(e & entryLength)
		k += int(e>>8) & 0xff
		if k > 63 {
			break
		}
		b[places[k]&63] = int16(int32(e) >> 16 * q[k])
		last = k
	}
	d.bits.pos, d.bits.acc, d.bits.n = pos, acc, n
	return last, k <= 63 || e&endOfBlock != 0 || e>>16 == 0 // zeros may go on behind the end
}
