package jpeg

import "errors"

// lookBits is how many bits of a code are looked up at once, longBits how many more where it is longer.
const (
	lookBits = 11
	longBits = 16 - lookBits
)

// huffman is a table of codes. Behind the entries of codes of up to lookBits follow tables of longer ones, of the same
// first lookBits each: the first is of no codes, and any other but the last of two at least.
type huffman struct {
	look    [1<<lookBits + (2+256/2)<<longBits]entry
	defined bool
}

// entry is what a code stands for. From the lowest bits on: how many bits it takes, with its value or, where that is
// not in the entry, without; how many coefficients it goes on by; the value, or how many bits that has, or which table
// of longer codes it is in. The zero entry is no code.
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
	for i := range 1 << lookBits {
		t.look[i] = notWhole
	}
	code, tables := 0, 1
	for i, n := range counts {
		length := i + 1
		if code+int(n) > 1<<length {
			return false
		}
		for ; n > 0; n-- {
			e := newEntry(length, symbols[0], dc)
			if length <= lookBits {
				t.fill(t.look[code<<(lookBits-length):][:1<<(lookBits-length)], e)
			} else {
				prefix := &t.look[code>>(length-lookBits)]
				if *prefix == notWhole {
					*prefix |= entry(tables) << 16
					clear(t.long(*prefix))
					tables++
				}
				at := code << (16 - length) & (1<<longBits - 1)
				t.fill(t.long(*prefix)[at:][:1<<(16-length)], e)
			}
			code++
			symbols = symbols[1:]
		}
		code <<= 1
	}
	t.defined = true
	return true
}

// long returns the table of longer codes that an entry names.
func (t *huffman) long(e entry) []entry {
	return t.look[1<<lookBits+int(e>>16)<<longBits:][:1<<longBits]
}

// fill enters a code. Most values are small, and are then found with the code in one look.
func (t *huffman) fill(look []entry, e entry) {
	if e == 0 {
		return
	}
	size, free := int(e>>16)&15, lookBits-int(e&entryLength)
	for i := range look {
		look[i] = e
		if e&notWhole != 0 && size <= free {
			look[i] = e.withValue(uint64(i) << (64 - free) >> (e & entryLength))
		}
	}
}

// whole returns an entry that is not whole with the rest of it, which is in acc, or 0 where there is no such code.
func (t *huffman) whole(e entry, acc uint64) entry {
	if e&entryLength == 0 {
		e = t.long(e)[acc<<lookBits>>(64-longBits)]
	}
	if e&notWhole != 0 {
		return e.withValue(acc)
	}
	return e
}
