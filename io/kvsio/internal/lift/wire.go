package lift

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// wire is the part of an answer's body that has come and is not done with. It
// holds a string at a time, so it is hardly larger than a picture, and what is
// read is still in the processor's cache when it is decoded.
type wire struct {
	body     io.Reader
	entries  int    // that the answer may have
	read     int64  // bytes of the body so far
	buf      []byte // used for one body after another
	at, have int    // buf[at:have] is not done with
}

const (
	// longestContent is more than the longest ImageContent: 6,291,456 characters,
	// some of them escaped.
	longestContent = 7 << 20
	// longestAround is more than the longest entry but for its picture, and
	// longestToken than what is around the entries.
	longestAround, longestToken = 1 << 10, 16 << 10
	// LeastWire is how many bytes a buffer has at least: two reads.
	LeastWire = 512 << 10
)

// ErrLongBody reports that an answer is longer than any that can be right.
var ErrLongBody = errors.New("the answer is longer than what was asked for can be")

func newWire(size int) *wire { return &wire{buf: make([]byte, size)} }

// open begins with an answer that may have that many entries.
func (w *wire) open(body io.Reader, entries int) { *w = wire{body: body, entries: entries, buf: w.buf} }

// longestRest is how many bytes an answer may have besides its pictures.
func (w *wire) longestRest() int { return longestToken + w.entries*longestAround }

// longest is how many bytes an answer may have.
func (w *wire) longest() int64 { return int64(w.longestRest() + w.entries*longestContent) }

// left returns what has come and is not done with. It is valid until more.
func (w *wire) left() []byte { return w.buf[w.at:w.have] }

// skip says that so much of what is left is done with.
func (w *wire) skip(n int) { w.at += n }

// more waits for more of the body. The error is io.EOF at its end.
func (w *wire) more() error {
	if half := len(w.buf) / 2; len(w.buf)-w.have < half {
		old := w.buf
		if w.have-w.at > half {
			w.buf = make([]byte, 2*len(old))
		}
		w.at, w.have = 0, copy(w.buf, old[w.at:w.have])
	}
	for range 100 { // as bufio does
		n, err := w.body.Read(w.buf[w.have:])
		w.have += n
		w.read += int64(n)
		switch {
		case w.read > w.longest():
			return ErrLongBody
		case n > 0:
			return nil
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// text waits for the end of a string whose opening quote is done with, and
// returns what stands before its closing quote.
func (w *wire) text() ([]byte, error) {
	for seen := 0; ; {
		left := w.left()
		quote := bytes.IndexByte(left[seen:], '"')
		if quote < 0 {
			if seen = len(left); seen > longestContent {
				return nil, ErrLongBody
			}
			if err := w.more(); err != nil {
				return nil, err
			}
			continue
		}
		end, escapes := seen+quote, 0
		for escapes < end && left[end-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			if end > longestContent {
				return nil, ErrLongBody
			}
			return left[:end], nil
		}
		seen = end + 1
	}
}

// Wires are the buffers that answers are read with. There are no more of them than
// users: so that they can be part of a memory budget. A sync.Pool would keep those of
// busier times. The zero value is ready for use.
type Wires struct {
	mu    sync.Mutex
	users int
	free  []*wire
}

// spareWires are kept where there are no users: the next one is near.
const spareWires = 2

// Use adds a user, who reads one answer at a time, until done is called.
func (w *Wires) Use() (done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.users++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.users--
		if most := max(w.users, spareWires); len(w.free) > most {
			clear(w.free[most:])
			w.free = w.free[:most]
		}
	}
}

func (w *Wires) get() *wire {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.free) == 0 {
		return newWire(LeastWire)
	}
	last := w.free[len(w.free)-1]
	w.free = w.free[:len(w.free)-1]
	return last
}

func (w *Wires) put(used *wire) {
	used.body = nil
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free = append(w.free, used)
}
