package jpeg

import "encoding/binary"

// bits takes bits off a scan's coded data. It stops at a marker and at the end
// of the data, and gives zeros from there on.
type bits struct {
	data []byte
	pos  int    // of the next byte to be taken into acc
	acc  uint64 // the next bit is the highest
	n    int    // bits in acc
	pad  int    // of them, the last, zeros that no data stands for
}

// fill brings n to more than 56, which is more than a code and its value take.
func (b *bits) fill() {
	if b.pos+8 <= len(b.data) {
		next := binary.BigEndian.Uint64(b.data[b.pos:])
		if (^next-0x0101010101010101)&next&0x8080808080808080 == 0 { // none of the eight is 0xff
			// What is less than a byte is taken again, and is the same then.
			b.acc |= next >> (b.n & 63)
			bytes := (64 - b.n) >> 3
			b.pos += bytes
			b.n += bytes << 3
			return
		}
	}
	b.fillSlowly()
}

func (b *bits) fillSlowly() {
	for b.n <= 56 {
		var next byte
		switch rest := b.data[b.pos:]; {
		case len(rest) > 0 && rest[0] != 0xff:
			next = rest[0]
			b.pos++
		case len(rest) > 1 && rest[1] == 0:
			next = 0xff
			b.pos += 2
		default:
			b.pad += 8
		}
		b.acc |= uint64(next) << (56 - b.n)
		b.n += 8
	}
}

// overrun reports whether bits were used that are not there.
func (b *bits) overrun() bool { return b.n < b.pad }

// restart goes on behind the restart marker of that number.
func (b *bits) restart(number int) error {
	for b.pos+1 < len(b.data) && (b.data[b.pos] != 0xff || b.data[b.pos+1] == 0 || b.data[b.pos+1] == 0xff) {
		b.pos++
	}
	if b.pos+1 >= len(b.data) {
		return errTruncated
	}
	if b.data[b.pos+1] != 0xd0+byte(number&7) {
		return errCorrupt
	}
	*b = bits{data: b.data, pos: b.pos + 2}
	return nil
}
