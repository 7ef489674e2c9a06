package sealed

import (
	"encoding/binary"
	"errors"
)

// The encodings of numbers in Parquet. They are read here, and not by parquet-go (0.32): it
// takes sizes from the data before it looks whether there can be as much.

var errBits = errors.New("the numbers of a column are damaged")

// bitsAt returns the number of width bits, at most 64, at a bit of data.
func bitsAt(data []byte, bit, width int) (n uint64) {
	at, shift := bit/8, bit%8
	if at+9 <= len(data) {
		n = binary.LittleEndian.Uint64(data[at:])>>shift | uint64(data[at+8])<<(64-shift)
	} else {
		var last [9]byte
		copy(last[:], data[at:])
		n = binary.LittleEndian.Uint64(last[:])>>shift | uint64(last[8])<<(64-shift)
	}
	return n & (1<<width - 1)
}

// readRuns reads want numbers of width bits, at most 32: runs of one, or numbers side by
// side.
func readRuns(data []byte, width, want int) ([]uint32, error) {
	numbers := make([]uint32, 0, want)
	for len(numbers) < want {
		head, n := binary.Uvarint(data)
		if n <= 0 || width > 32 {
			return nil, errBits
		}
		data = data[n:]
		count := int(min(head>>1, uint64(want)))
		if head&1 == 0 { // a run
			size := (width + 7) / 8
			if size > len(data) {
				return nil, errBits
			}
			number := uint32(bitsAt(data[:size], 0, width))
			for range min(count, want-len(numbers)) {
				numbers = append(numbers, number)
			}
			data = data[size:]
			continue
		}
		if count*width > len(data) { // groups of eight
			return nil, errBits
		}
		for i := range min(8*count, want-len(numbers)) {
			numbers = append(numbers, uint32(bitsAt(data, i*width, width)))
		}
		data = data[count*width:]
	}
	return numbers, nil
}

// readDeltas reads want numbers that are stored as differences, and returns what follows.
func readDeltas(data []byte, want int) (numbers []int64, rest []byte, err error) {
	var head [3]int // size of a block, parts of a block, numbers
	for i := range head {
		n, size := binary.Uvarint(data)
		if size <= 0 || n > MaxSamples {
			return nil, nil, errBits
		}
		head[i], data = int(n), data[size:]
	}
	last, size := binary.Varint(data)
	block, parts, count := head[0], head[1], head[2]
	if size <= 0 || count != want || parts == 0 || block == 0 || block%(8*parts) != 0 {
		return nil, nil, errBits
	}
	data = data[size:]
	if want == 0 {
		return nil, data, nil
	}
	numbers = append(make([]int64, 0, want), last)
	for len(numbers) < want {
		least, size := binary.Varint(data)
		if size <= 0 || size+parts > len(data) {
			return nil, nil, errBits
		}
		widths := data[size : size+parts]
		data = data[size+parts:]
		for _, width := range widths {
			if len(numbers) == want {
				break
			}
			n := block / parts * int(width) / 8
			if width > 64 || n > len(data) {
				return nil, nil, errBits
			}
			for i := range min(block/parts, want-len(numbers)) {
				last += least + int64(bitsAt(data[:n], i*int(width), int(width)))
				numbers = append(numbers, last)
			}
			data = data[n:]
		}
	}
	return numbers, data, nil
}
