package sealed

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// sumSize is the size of a checksum, a CRC-32C.
const sumSize = 4

// endSize is the size of what ends a Parquet file: the size of the footer, and the magic
// bytes.
const endSize = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sumOf(data []byte) uint32 { return crc32.Checksum(data, castagnoli) }

// sumWriter puts the checksums into a Parquet file that is written.
type sumWriter struct {
	file   io.Writer
	size   int64 // of what was written to file
	sum    uint32
	ending *bytes.Buffer // what comes after the rows
}

func (w *sumWriter) Write(p []byte) (int, error) {
	if w.ending != nil {
		return w.ending.Write(p)
	}
	n, err := w.file.Write(p)
	w.size += int64(n)
	w.sum = crc32.Update(w.sum, castagnoli, p[:n])
	return n, err
}

// finish must be called when all rows have been written. It closes the Parquet file, and
// writes what that takes.
func (w *sumWriter) finish(closing func() error) error {
	w.ending = new(bytes.Buffer)
	if err := closing(); err != nil {
		return err
	}
	rest := w.ending.Bytes()
	size := int(binary.LittleEndian.Uint32(rest[len(rest)-endSize:]))
	index, footer := rest[:len(rest)-endSize-size], rest[len(rest)-endSize-size:]
	if n := w.size + int64(len(index)); n > bodyLimit {
		return fmt.Errorf("its rows have %d bytes, they must have at most %d: make labels shorter", n, bodyLimit)
	}
	if size > footerLimit {
		return fmt.Errorf("its footer has %d bytes, it must have at most %d: seal fewer receipts", size, footerLimit)
	}
	w.ending = nil
	if _, err := w.Write(index); err != nil {
		return err
	}
	sums := binary.LittleEndian.AppendUint32(nil, w.sum)
	sums = binary.LittleEndian.AppendUint32(sums, sumOf(footer))
	_, err := w.file.Write(append(sums, footer...))
	return err
}
