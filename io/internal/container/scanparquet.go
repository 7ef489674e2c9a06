package container

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"github.com/kvsframes/kvsframes/io/frame"
)

// scanParquet finds the frames in a Parquet file as newParquetLayout lays it out: pages one
// after the other, in the order of the columns. Which columns there are stands in its footer.
func scanParquet(data []byte) (frames []frame.Frame, err error) {
	pages, footer, err := cutFooter(data)
	if err != nil {
		return nil, err
	}
	has := func(column string) bool { return bytes.Contains(footer, fmt.Appendf(nil, `%q:{"dtype"`, column)) }
	columns := columnsOf(has("labels"), has("tensor"))
	s := &pageScanner{left: pages}
	for len(s.left) > 0 {
		frames = append(frames, s.rowGroup(columns)...)
	}
	return frames, s.err
}

// cutFooter returns what stands before the footer of a Parquet file, and the footer.
func cutFooter(data []byte) (pages, footer []byte, err error) {
	data, ok := bytes.CutPrefix(data, []byte(parquetMagic))
	data, ends := bytes.CutSuffix(data, []byte(parquetMagic))
	if !ok || !ends || len(data) < 4 {
		return nil, nil, errors.New("it is no Parquet file")
	}
	end := len(data) - 4
	length := uint64(binary.LittleEndian.Uint32(data[end:]))
	if length > uint64(end) {
		return nil, nil, errors.New("its footer is longer than the file")
	}
	return data[:end-int(length)], data[end-int(length) : end], nil
}

// pageScanner takes pages off the head of a file. After an error it takes nothing.
type pageScanner struct {
	left []byte
	err  error
}

// rowGroup takes the pages of a row group.
func (s *pageScanner) rowGroup(columns []parquetColumn) (frames []frame.Frame) {
	for n := range columns {
		c := &columns[n]
		if c.size != nil {
			for i := range frames {
				*DataOf(&frames[i], c.path[0] == tensorColumn.path[0]) = s.blob(c)
			}
			continue
		}
		rows, values := s.page(c)
		if n == 0 {
			frames = make([]frame.Frame, rows)
		}
		s.take(c, frames, rows, values)
	}
	return frames
}

func (s *pageScanner) fail(err error) {
	if s.err == nil {
		s.err, s.left = err, nil
	}
}

var errPage = errors.New("a page of it is not one of ours")

// page takes a page, and returns how many values it has, at least one, and their bytes. Its
// header has the form of pageHeader: its size stands there twice, then the number of values.
func (s *pageScanner) page(c *parquetColumn) (rows int, values []byte) {
	const beforeSize, betweenSizes, beforeCount = 3, 1, 2 // bytes
	size, n := varintAt(s.left, beforeSize)
	count, m := varintAt(s.left, beforeSize+n+betweenSizes+n+beforeCount)
	if n == 0 || m == 0 || size > math.MaxInt32 || count < 1 || count > groupRows {
		s.fail(errPage)
		return 0, nil
	}
	levels := c.levels(int(count))
	rest, ok := bytes.CutPrefix(s.left, append(pageHeader(int(count), int(size)), levels...))
	end := size - int64(len(levels))
	if !ok || end < 0 || end > int64(len(rest)) {
		s.fail(errPage)
		return 0, nil
	}
	s.left = rest[end:]
	return int(count), rest[:end:end]
}

// varintAt reads a number, and returns how many bytes it takes: none where there is none.
func varintAt(data []byte, at int) (number int64, n int) {
	if at > len(data) {
		return 0, 0
	}
	number, n = binary.Varint(data[at:])
	return number, max(n, 0) // it is negative where the number is too large
}

// blob takes a page of one blob.
func (s *pageScanner) blob(c *parquetColumn) []byte {
	rows, values := s.page(c)
	if rows != 1 {
		s.fail(errPage)
		return nil
	}
	return s.text(&values)
}

// take takes the values of a column that say something of frames.
func (s *pageScanner) take(c *parquetColumn, frames []frame.Frame, rows int, values []byte) {
	if rows != len(frames) {
		s.fail(errPage)
		return
	}
	for i := range frames {
		f := &frames[i]
		if c.text == nil {
			takeColumn(f, c.path[0], s.number(c, &values))
			continue
		}
		switch text := s.text(&values); c.path[0] {
		case "format":
			f.Format = string(text)
		case "labels":
			if err := json.Unmarshal(text, &f.Labels); err != nil {
				s.fail(err)
			}
		}
	}
}

func takeColumn(f *frame.Frame, name string, n int64) {
	switch name {
	case "sample_time":
		f.SampleMs = n
	case "image_time":
		f.ImageMs = n
	case "width":
		f.Width = int32(n)
	case "height":
		f.Height = int32(n)
	}
}

// text takes a value that has its length before it.
func (s *pageScanner) text(values *[]byte) []byte {
	if len(*values) < 4 {
		s.fail(errPage)
		return nil
	}
	n := uint64(binary.LittleEndian.Uint32(*values))
	rest := (*values)[4:]
	if n > uint64(len(rest)) {
		s.fail(errPage)
		return nil
	}
	*values = rest[n:]
	return rest[:n:n]
}

// number takes an integer.
func (s *pageScanner) number(c *parquetColumn, values *[]byte) (n int64) {
	size := 8
	if c.kind == format.Int32 {
		size = 4
	}
	if len(*values) < size {
		s.fail(errPage)
		return 0
	}
	if size == 4 {
		n = int64(int32(binary.LittleEndian.Uint32(*values)))
	} else {
		n = int64(binary.LittleEndian.Uint64(*values))
	}
	*values = (*values)[size:]
	return n
}
