package jpeg

import "errors"

// lookBits is how many bits of a code are looked up at once.
const lookBits = 11

// huffman is a table of codes.
type huffman struct {
	look    [1 << lookBits]entry
	limit   [17]int32 // by length: one more than the largest code
	offset  [17]int32 // by length: what makes a code an index of symbols
	symbols [256]uint8
	defined bool
}

// entry is what a code stands for. From the lowest bits on: how many bits it takes, with its value or, where that is
// not in the entry, without; how many coefficients it goes on by; the value, or how many bits that has. The zero entry
// is no code.
type entry uint32

const (
	entryLength = 1<<6 - 1
	notWhole    = 1 << 7  // the value follows the code; with nothing else, the code is longer
	endOfBlock  = 1 << 15 // among how many it goes on by: to behind the last
)

// newEntry makes the entry of a symbol. Those of DC coefficients have no run before them.
func newEntry(length int, symbol uint8, dc bool) entry {
	run, size := int(symbol>>4), int(symbol&15)
	e := entry(length)
	switch {
	case dc && run > 0:
		return 0
	case !dc && size == 0 && run < 15:
		return e | endOfBlock
	}
	e |= entry(run+1) << 8
	if size > 0 {
		e |= notWhole | entry(size)<<16
	}
	return e
}

// withValue is an entry with the value that follows its code in acc.
func (e entry) withValue(acc uint64) entry {
	size := uint(e>>16) & 15
	acc <<= e & entryLength
	value := int32(acc >> ((64 - size) & 63))
	if acc>>63 == 0 { // negative
		value += -1<<size + 1
	}
	return e&0xff7f + entry(size) | entry(value)<<16
}

func (d *Decoder) huffmanTables(payload []byte) error {
	for len(payload) > 0 {
		if len(payload) < 17 || payload[0]>>4 > 1 || payload[0]&15 > 3 {
			return errors.New("the JPEG's Huffman table is malformed")
		}
		count := 0
		for _, n := range payload[1:17] {
			count += int(n)
		}
		if count > 256 || len(payload) < 17+count {
			return errors.New("the JPEG's Huffman table is malformed")
		}
		class := payload[0] >> 4
		t := &d.huffman[class][payload[0]&15]
		if !t.define([16]uint8(payload[1:17]), payload[17:17+count], class == 0) {
			return errors.New("the JPEG's Huffman table has more codes than there can be")
		}
		payload = payload[17+count:]
	}
	return nil
}

func (t *huffman) define(counts [16]uint8, symbols []uint8, dc bool) bool {
	for i := range t.look {
		t.look[i] = notWhole
	}
	copy(t.symbols[:], symbols)
	code, index := int32(0), int32(0)
	for i, n := range counts {
		length := i + 1
		t.offset[length] = index - code
		for range n {
			if length <= lookBits {
				first := int(code) << (lookBits - length)
				if first+1<<(lookBits-length) > len(t.look) {
					return false
				}
				t.fill(first, length, newEntry(length, symbols[index], dc))
			}
			code++
			index++
		}
		if code > 1<<length {
			return false
		}
		t.limit[length] = code
		code <<= 1
	}
	t.defined = true
	return true
}

// fill enters a code of that length. Most values are small, and are then found with the code in one look.
func (t *huffman) fill(first, length int, e entry) {
	for at := first; at < first+1<<(lookBits-length); at++ {
		t.look[at] = e
		if size := int(e>>16) & 15; e&notWhole != 0 && length+size <= lookBits {
			t.look[at] = e.withValue(uint64(at) << (64 - lookBits))
		}
	}
}

// whole returns an entry that is not whole with the rest of it, which is in acc, or 0 where there is no such code.
func (t *huffman) whole(e entry, acc uint64, dc bool) entry {
	if e == notWhole {
		e = t.long(acc, dc)
	}
	if e&notWhole != 0 {
		return e.withValue(acc)
	}
	return e
}

// long finds a code that is longer than lookBits.
func (t *huffman) long(acc uint64, dc bool) entry {
	for length := lookBits + 1; length <= 16; length++ {
		if code := int32(acc >> (64 - length)); code < t.limit[length] {
			return newEntry(length, t.symbols[uint8(code+t.offset[length])], dc)
		}
	}
	return 0
}
