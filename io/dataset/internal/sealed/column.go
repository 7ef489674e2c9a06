package sealed

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// column is what a column has in all rows.
type column struct {
	there   []uint32 // a row: 1 where it has a value; nil where all have one
	numbers []int64  // the values that there are: these
	texts   [][]byte // or these
}

// columnReader reads the pages of a column as [Write] makes them.
type columnReader struct {
	column
	data       []byte // the pages that were not read yet
	kind       format.Type
	optional   bool
	all, rows  int // how many rows there are, and how many were not read yet
	room       int // how many bytes more pages may have when they are decompressed
	dictionary [][]byte
}

func (r *columnReader) read() error {
	for len(r.data) > 0 {
		n, err := measure(r.data, headerItems)
		if err != nil {
			return err
		}
		var header format.PageHeader
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), r.data[:n], &header); err != nil {
			return err
		}
		size, unzipped := int(header.CompressedPageSize), int(header.UncompressedPageSize)
		if size < 0 || size > len(r.data)-n || unzipped < 0 || unzipped > r.room {
			return fmt.Errorf("a page claims %d bytes, %d of them when it is decompressed", size, unzipped)
		}
		page := r.data[n : n+size]
		r.data, r.room = r.data[n+size:], r.room-unzipped
		switch {
		case header.DictionaryPageHeader.Valid && r.dictionary == nil:
			err = r.readDictionary(page, unzipped, header.DictionaryPageHeader.V.NumValues)
		case header.DataPageHeaderV2.Valid:
			err = r.readPage(page, unzipped, &header.DataPageHeaderV2.V)
		default:
			err = fmt.Errorf("a page is of type %v", header.Type)
		}
		if err != nil {
			return err
		}
	}
	if r.rows > 0 {
		return fmt.Errorf("its pages lack %d rows", r.rows)
	}
	return nil
}

func (r *columnReader) readDictionary(page []byte, size int, values int32) error {
	if int(values) > r.all {
		return fmt.Errorf("its dictionary claims %d texts for %d rows", values, r.all)
	}
	data, err := unzip(page, size)
	if err == nil {
		r.dictionary, err = plainTexts(data, int(values))
	}
	return err
}

func (r *columnReader) readPage(page []byte, unzipped int, header *format.DataPageHeaderV2) error {
	rows, levels := int(header.NumValues), int(header.DefinitionLevelsByteLength)
	if rows < 1 || rows > r.rows || header.RepetitionLevelsByteLength != 0 ||
		levels < 0 || levels > min(len(page), unzipped) || (levels > 0) != r.optional {
		return fmt.Errorf("a page claims %d rows of %d, and %d bytes of levels", rows, r.rows, levels)
	}
	r.rows -= rows
	values := rows
	if r.optional {
		there, err := readRuns(page[:levels], 1, rows)
		if err != nil {
			return err
		}
		values = 0
		for _, is := range there {
			values += int(is)
		}
		r.there = append(r.there, there...)
	}
	data := page[levels:]
	if !header.IsCompressed.Valid || header.IsCompressed.V {
		var err error
		if data, err = unzip(data, unzipped-levels); err != nil {
			return err
		}
	}
	if values == 0 {
		return nil
	}
	return r.readValues(data, values, header.Encoding)
}

func (r *columnReader) readValues(data []byte, values int, encoding format.Encoding) (err error) {
	isText := r.kind == format.ByteArray
	var texts [][]byte
	switch {
	case !isText && encoding == format.DeltaBinaryPacked:
		var numbers []int64
		numbers, _, err = readDeltas(data, values)
		r.numbers = append(r.numbers, numbers...)
	case isText && encoding == format.DeltaLengthByteArray:
		texts, err = longTexts(data, values)
	case isText && encoding == format.Plain:
		texts, err = plainTexts(data, values)
	case isText && encoding == format.RLEDictionary && len(data) > 0:
		texts, err = r.lookUp(data, values)
	default:
		err = fmt.Errorf("a page of type %v is encoded as %v", r.kind, encoding)
	}
	r.texts = append(r.texts, texts...)
	return err
}

var errTexts = errors.New("the texts of a column are damaged")

// lookUp reads texts that are numbers in the dictionary.
func (r *columnReader) lookUp(data []byte, want int) ([][]byte, error) {
	numbers, err := readRuns(data[1:], int(data[0]), want)
	texts := make([][]byte, len(numbers))
	for i, n := range numbers {
		if int64(n) >= int64(len(r.dictionary)) {
			return nil, errTexts
		}
		texts[i] = r.dictionary[n]
	}
	return texts, err
}

// plainTexts reads texts, each behind its length.
func plainTexts(data []byte, want int) ([][]byte, error) {
	if want < 0 || want > len(data)/4 {
		return nil, errTexts
	}
	texts := make([][]byte, want)
	for i := range texts {
		if len(data) < 4 {
			return nil, errTexts
		}
		size := int64(binary.LittleEndian.Uint32(data))
		data = data[4:]
		if size > int64(len(data)) {
			return nil, errTexts
		}
		texts[i], data = data[:size], data[size:]
	}
	return texts, nil
}

// longTexts reads texts that stand behind the lengths of all.
func longTexts(data []byte, want int) ([][]byte, error) {
	sizes, data, err := readDeltas(data, want)
	texts := make([][]byte, len(sizes))
	for i, size := range sizes {
		if size < 0 || size > int64(len(data)) {
			return nil, errTexts
		}
		texts[i], data = data[:size], data[size:]
	}
	return texts, err
}
