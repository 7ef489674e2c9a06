package jpeg

import "errors"

// lookBits is how many bits of a code are looked up at once.
const lookBits = 10

// huffman is a table of codes.
type huffman struct {
	look [1 << lookBits]uint16 // length<<8 | symbol; 0 where the code is longer
	// of AC: value<<8 | run<<4 | length of code and value; 0 where that is no coefficient, or longer
	short   [1 << lookBits]int16
	limit   [17]int32 // by length: one more than the largest code
	offset  [17]int32 // by length: what makes a code an index of symbols
	symbols [256]uint8
	defined bool
}

func (d *decoder) huffmanTables(payload []byte) error {
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
		t := &d.huffman[payload[0]>>4][payload[0]&15]
		if !t.define([16]uint8(payload[1:17]), payload[17:17+count]) {
			return errors.New("the JPEG's Huffman table has more codes than there can be")
		}
		payload = payload[17+count:]
	}
	return nil
}

func (t *huffman) define(counts [16]uint8, symbols []uint8) bool {
	clear(t.look[:])
	clear(t.short[:])
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
				for at := first; at < first+1<<(lookBits-length); at++ {
					t.look[at] = uint16(length)<<8 | uint16(symbols[index])
				}
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
	t.shorten()
	t.defined = true
	return true
}

// shorten fills short: most coefficients are small, and code and value are then
// found in one look.
func (t *huffman) shorten() {
	for at, entry := range t.look {
		length, run, size := int(entry>>8), int(entry>>4&15), int(entry&15)
		if entry == 0 || size == 0 || length+size > lookBits {
			continue
		}
		value := at >> (lookBits - length - size) & (1<<size - 1)
		if value < 1<<(size-1) {
			value += -1<<size + 1
		}
		if -128 <= value && value <= 127 {
			t.short[at] = int16(value<<8 | run<<4 | (length + size))
		}
	}
}

// long finds a code that is longer than lookBits; its length is 0 if there is none.
func (t *huffman) long(acc uint64) (symbol uint8, length int) {
	for length = lookBits + 1; length <= 16; length++ {
		if code := int32(acc >> (64 - length)); code < t.limit[length] {
			return t.symbols[uint8(code+t.offset[length])], length
		}
	}
	return 0, 0
}
