package sealed

import (
	"encoding/binary"
	"errors"
)

// encoder writes numbers that are not negative, and texts of which most come again and again.
// What it writes is stored and hashed: it must never change.
type encoder struct {
	data  []byte
	known map[string]int
}

func (e *encoder) number(n int64) { e.data = binary.AppendUvarint(e.data, uint64(n)) }

func (e *encoder) numbers(all ...int32) {
	for _, n := range all {
		e.number(int64(n))
	}
}

// texts writes which of the texts so far each is: one that is new follows its number.
func (e *encoder) texts(all ...string) {
	for _, text := range all {
		n, ok := e.known[text]
		if !ok {
			n = len(e.known)
			e.known[text] = n
		}
		e.number(int64(n))
		if !ok {
			e.text(text)
		}
	}
}

func (e *encoder) text(text string) {
	e.number(int64(len(text)))
	e.data = append(e.data, text...)
}

// What a table may have: more than any has, and little memory.
const (
	textLimit  = 64 << 10 // bytes of a text
	textsLimit = 2 << 20
)

// decoder reads what an encoder wrote. After the first error all that it reads is zero.
type decoder struct {
	data  []byte
	known []string
	texts int // how many were read
	err   error
}

// number reads a number of at most limit.
func (d *decoder) number(limit int64) int64 {
	n, size := binary.Uvarint(d.data)
	if size <= 0 || n > uint64(limit) {
		d.fail()
		return 0
	}
	d.data = d.data[size:]
	return int64(n)
}

func (d *decoder) fail() {
	d.data, d.err = nil, errors.New("its table of receipts ends early, or has a number or text that is too large")
}

func (d *decoder) text() string {
	if d.texts++; d.texts > textsLimit {
		d.fail()
	}
	n := int(d.number(int64(len(d.known))))
	if d.err == nil && n == len(d.known) {
		size := d.number(min(textLimit, int64(len(d.data))))
		if size > int64(len(d.data)) {
			d.fail()
		} else {
			d.known, d.data = append(d.known, string(d.data[:size])), d.data[size:]
		}
	}
	if d.err != nil {
		return ""
	}
	return d.known[n]
}
