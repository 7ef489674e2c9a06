package container

import (
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
)

// Where pictures lie follows from lengths alone. Most follow from other lengths, so that
// little is made of what stands around the pictures.

func (l *tarLayout) lengths(i int) (before, after int) {
	b := &l.order[i]
	m, name := &l.members[b.Frame], l.members[b.Frame].Name(b.Tensor)
	before, after = l.headerLength(b.Frame, name, b.Size), padded(b.Size)-b.Size
	if m.TensorSize == 0 || b.Tensor {
		key, text := name[:strings.LastIndexByte(name, '.')], l.textLength(m)
		after += l.headerLength(b.Frame, key+sidecarExtension, text) + padded(text)
	}
	return before, after
}

// headerLength returns how long the header of a frame's file is.
func (l *tarLayout) headerLength(i int, name string, size int) int {
	if l.isPlain(i, name) {
		return tarBlock
	}
	l.buffer.Reset()
	l.anyHeader(i, name, size)
	return l.buffer.Len()
}

// padded returns how many bytes a tar takes for what has size bytes.
func padded(size int) int { return size + -size&(tarBlock-1) }

// textShape is what the length of a frame's text depends on, but for its labels.
type textShape struct {
	stream, arn, prefix, format              string
	sampleDigits, imageDigits, width, height int8
}

// textLength returns how long the text of a frame is. Texts of one shape are made once.
func (l *tarLayout) textLength(m *Member) int {
	if !hasClock(m.SampleMs) || !hasClock(m.ImageMs) {
		return len(l.text(m))
	}
	shape := textShape{
		m.Stream, m.StreamARN, m.Prefix, m.Format,
		digits(m.SampleMs), digits(m.ImageMs), digits(int64(m.Width)), digits(int64(m.Height)),
	}
	length, ok := l.texts[shape]
	if !ok {
		plain := *m
		plain.Labels = nil
		length = len(l.text(&plain))
		l.texts[shape] = length
	}
	if len(m.Labels) > 0 {
		length += len(frame.LabelsJSON(m.Labels)) - len(frame.LabelsJSON(nil))
	}
	return length
}

// hasClock reports whether an instant is of the years 1970 to 9999, all of which are written
// with as many characters.
func hasClock(ms int64) bool { return 0 <= ms && ms < 253_402_300_800_000 }

// digits returns how many digits a number has, and a sign.
func digits(n int64) (count int8) {
	if n < 0 {
		count++
	}
	for count++; n <= -10 || n >= 10; count++ {
		n /= 10
	}
	return count
}
