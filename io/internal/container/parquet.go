package container

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/kvsframes/kvsframes/io/frame"
)

// parquetFormat is one Parquet file a shard, of a row a frame, whose metadata
// tells Hugging Face's datasets that it has images.
//
// Every picture is a page of its own, neither compressed nor encoded, so that it
// can be read by its bytes alone; and so is every tensor beside one. The other
// columns come to a few thousandths of a file; uncompressed, their bytes depend on no
// version of a compressor.
var parquetFormat = Archive{Extension: ".parquet", lay: newParquetLayout, parse: scanParquet}

// A row group ends where the next row would be one too many for either.
const (
	groupRows  = 100
	groupBytes = 64 << 20
)

// maxBlob leaves room for what stands before a blob in its page.
const maxBlob = math.MaxInt32 - 64

const (
	parquetMagic = "PAR1"
	createdBy    = "kvsframes version 1" // the form of these files, not the release that wrote them
)

// huggingFace is what datasets takes columns for. An image that is a tensor is not one
// to it: it stays bytes.
func huggingFace(columns []parquetColumn, tensors bool) string {
	var features []string
	for i := range columns {
		switch c := &columns[i]; {
		case len(c.path) == 1:
			features = append(features, fmt.Sprintf(`%q:{"dtype":%q,"_type":"Value"}`, c.path[0], c.dtype()))
		case c.path[1] == "path": // the picture's column is told with its name's
		case tensors:
			features = append(features, `"image":{"bytes":{"dtype":"binary","_type":"Value"},"path":{"dtype":"string","_type":"Value"}}`)
		default:
			features = append(features, `"image":{"_type":"Image"}`)
		}
	}
	return `{"info":{"features":{` + strings.Join(features, ",") + `}}}`
}

// parquetColumn is a leaf of the schema: of numbers, of texts, or of blobs. All nodes
// are optional, though none is ever null: datasets takes an image for one only where
// its type is what Arrow makes of a nullable struct.
type parquetColumn struct {
	path   []string
	kind   format.Type
	number func(m *Member) int64
	text   func(m *Member) string
	size   func(m *Member) int // of a blob
}

// dtype is the type of a column's values to datasets.
func (c *parquetColumn) dtype() string {
	switch c.kind {
	case format.Int64:
		return "timestamp[ms, tz=UTC]"
	case format.Int32:
		return "int32"
	}
	if c.size != nil {
		return "binary"
	}
	return "string"
}

// parquetColumns are in the order of the schema and of the file.
var parquetColumns = []parquetColumn{
	{path: []string{"key"}, kind: format.ByteArray, text: func(m *Member) string { return m.Key() }},
	{path: []string{"stream"}, kind: format.ByteArray, text: func(m *Member) string { return m.Stream }},
	{path: []string{"sample_time"}, kind: format.Int64, number: func(m *Member) int64 { return m.SampleMs }},
	{path: []string{"image_time"}, kind: format.Int64, number: func(m *Member) int64 { return m.ImageMs }},
	{path: []string{"width"}, kind: format.Int32, number: func(m *Member) int64 { return int64(m.Width) }},
	{path: []string{"height"}, kind: format.Int32, number: func(m *Member) int64 { return int64(m.Height) }},
	{path: []string{"format"}, kind: format.ByteArray, text: func(m *Member) string { return m.Format }},
	pictureColumn,
	{path: []string{"image", "path"}, kind: format.ByteArray, text: func(m *Member) string { return m.Name(false) }},
}

// The columns of blobs: tensors beside pictures, where frames have them, come last.
var (
	pictureColumn = parquetColumn{
		path: []string{"image", "bytes"}, kind: format.ByteArray,
		size: func(m *Member) int { return m.Size },
	}
	tensorColumn = parquetColumn{
		path: []string{"tensor"}, kind: format.ByteArray,
		size: func(m *Member) int { return m.TensorSize },
	}
)

// labelsColumn stands before the pictures, where frames have labels: a JSON object.
var labelsColumn = parquetColumn{
	path: []string{"labels"}, kind: format.ByteArray,
	text: func(m *Member) string { return frame.LabelsJSON(m.Labels) },
}

// columnsOf are the columns of a file.
func columnsOf(labelled, beside bool) []parquetColumn {
	columns := slices.Clone(parquetColumns)
	if labelled {
		columns = slices.Insert(columns, len(columns)-2, labelsColumn)
	}
	if beside {
		columns = append(columns, tensorColumn)
	}
	return columns
}

// sampleTime is the column that the rows are sorted by, unless they are shuffled.
const sampleTime = 2

// parquetLayout lays row groups one after the other: of each the pictures, then the
// tensors.
type parquetLayout struct {
	order  []Item
	heads  map[int][]byte // of row groups, by their first picture
	tails  map[int][]byte // by their last picture
	footer []byte
}

type rowGroup struct {
	columns    []parquetColumn
	members    []Member
	head, tail []byte // what stands before the first picture's page, and after the last's
}

func newParquetLayout(members []Member) (layout, error) {
	l := &parquetLayout{heads: make(map[int][]byte), tails: make(map[int][]byte)}
	tensors := slices.ContainsFunc(members, func(m Member) bool { return m.Format == frame.NPY })
	beside := slices.ContainsFunc(members, func(m Member) bool { return m.TensorSize > 0 })
	columns := columnsOf(labelled(members), beside)
	file := format.FileMetaData{
		Version: 2, Schema: parquetSchema(columns), NumRows: int64(len(members)), CreatedBy: createdBy,
		KeyValueMetadata: []format.KeyValue{{Key: "huggingface", Value: huggingFace(columns, tensors)}},
	}
	for range columns {
		file.ColumnOrders = append(file.ColumnOrders, format.ColumnOrder{Value: new(format.TypeDefinedOrder)})
	}
	at := int64(len(parquetMagic))
	for done := 0; done < len(members); {
		rows, err := groupOf(members[done:])
		if err != nil {
			return nil, err
		}
		g := &rowGroup{columns: columns, members: rows}
		meta := g.lay(at)
		meta.Ordinal = int16(len(file.RowGroups))
		file.RowGroups = append(file.RowGroups, meta)
		at += meta.TotalByteSize
		l.heads[len(l.order)] = g.head
		for i := range rows {
			l.order = append(l.order, Item{done + i, false, rows[i].Size})
		}
		l.tails[len(l.order)-1] = g.tail
		for i := range rows {
			if beside { // a row without one has an empty one
				l.order = append(l.order, Item{done + i, true, rows[i].TensorSize})
			}
		}
		done += len(rows)
	}
	l.footer = thriftBytes(&file)
	return l, nil
}

// groupOf is the first rows, as many as a row group takes.
func groupOf(members []Member) ([]Member, error) {
	size := 0
	for i := range members {
		m := &members[i]
		if most := max(m.Size, m.TensorSize); most > maxBlob {
			return nil, fmt.Errorf("a picture, or the tensor beside it, has %d bytes: in a Parquet file it must have at most %d",
				most, maxBlob)
		}
		size += m.Size + m.TensorSize
		if i == groupRows || i > 0 && size > groupBytes {
			return members[:i], nil
		}
	}
	return members, nil
}

func (l *parquetLayout) blobs() []Item { return l.order }

func (l *parquetLayout) before(i int) []byte {
	var b []byte
	if i == 0 {
		b = append(b, parquetMagic...)
	}
	column := &pictureColumn
	if l.order[i].Tensor {
		column = &tensorColumn
	}
	return append(append(b, l.heads[i]...), column.prefix(l.order[i].Size)...)
}

func (l *parquetLayout) after(i int, _ []byte) []byte { return l.tails[i] }

func (l *parquetLayout) lengths(i int) (before, after int) { return len(l.before(i)), len(l.tails[i]) }

func (l *parquetLayout) end() []byte {
	end := binary.LittleEndian.AppendUint32(bytes.Clone(l.footer), uint32(len(l.footer)))
	return append(end, parquetMagic...)
}

// lay makes what stands around the group's pictures, which begins at an offset in
// the file, and what the footer says of it.
func (g *rowGroup) lay(at int64) format.RowGroup {
	meta := format.RowGroup{NumRows: int64(len(g.members)), FileOffset: at}
	if slices.IsSortedFunc(g.members, func(a, b Member) int { return cmp.Compare(a.SampleMs, b.SampleMs) }) {
		meta.SortingColumns = []format.SortingColumn{{ColumnIdx: sampleTime}}
	}
	for n := range g.columns {
		column := &g.columns[n]
		chunk := format.ColumnMetaData{
			Type: column.kind, Encoding: []format.Encoding{format.Plain}, PathInSchema: column.path, Codec: format.Uncompressed,
			NumValues: meta.NumRows, DataPageOffset: at + meta.TotalByteSize,
		}
		var size int64
		switch {
		case column.size != nil:
			for i := range g.members {
				n := column.size(&g.members[i])
				size += int64(len(column.prefix(n)) + n)
			}
		case column.path[0] == pictureColumn.path[0]: // the pictures' names
			g.tail = column.page(g.members)
			size = int64(len(g.tail))
		default:
			page := column.page(g.members)
			g.head, size = append(g.head, page...), int64(len(page))
			chunk.Statistics = column.statistics(g.members)
		}
		chunk.TotalUncompressedSize, chunk.TotalCompressedSize = size, size
		meta.Columns = append(meta.Columns, format.ColumnChunk{MetaData: chunk})
		meta.TotalByteSize += size
	}
	meta.TotalCompressedSize = meta.TotalByteSize
	return meta
}

// page is a column of a row group, in one page.
func (c *parquetColumn) page(members []Member) []byte {
	var values []byte
	for i := range members {
		switch m := &members[i]; {
		case c.number != nil:
			values = append(values, c.plain(c.number(m))...)
		case c.text != nil:
			text := c.text(m)
			values = binary.LittleEndian.AppendUint32(values, uint32(len(text)))
			values = append(values, text...)
		}
	}
	levels := c.levels(len(members))
	return slices.Concat(pageHeader(len(members), len(levels)+len(values)), levels, values)
}

// levels says, in one run, that every value of a page is there.
func (c *parquetColumn) levels(values int) []byte {
	run := append(binary.AppendUvarint(nil, uint64(values)<<1), byte(len(c.path)))
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(run))), run...)
}

// statistics lets readers pass over row groups that have nothing they look for.
func (c *parquetColumn) statistics(members []Member) format.Statistics {
	if c.number != nil {
		least, most := bounds(members, c.number)
		return format.Statistics{MinValue: c.plain(least), MaxValue: c.plain(most)}
	}
	least, most := bounds(members, c.text)
	return format.Statistics{MinValue: []byte(least), MaxValue: []byte(most)}
}

func bounds[T cmp.Ordered](members []Member, of func(m *Member) T) (least, most T) {
	least = of(&members[0])
	most = least
	for i := range members {
		least, most = min(least, of(&members[i])), max(most, of(&members[i]))
	}
	return least, most
}

func (c *parquetColumn) plain(n int64) []byte {
	if c.kind == format.Int32 {
		return binary.LittleEndian.AppendUint32(nil, uint32(n))
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(n))
}

// prefix is what stands before a blob in its page.
func (c *parquetColumn) prefix(size int) []byte {
	levels := c.levels(1)
	prefix := append(pageHeader(1, len(levels)+4+size), levels...)
	return binary.LittleEndian.AppendUint32(prefix, uint32(size))
}

func pageHeader(values, size int) []byte {
	return thriftBytes(&format.PageHeader{
		Type: format.DataPage, UncompressedPageSize: int32(size), CompressedPageSize: int32(size),
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(values), Encoding: format.Plain, DefinitionLevelEncoding: format.RLE,
			RepetitionLevelEncoding: format.RLE,
		}),
	})
}

// thriftBytes cannot fail on the library's own types.
func thriftBytes(v any) []byte {
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		panic(err)
	}
	return b
}

// parquetSchema lists the schema's nodes, parents first.
func parquetSchema(columns []parquetColumn) []format.SchemaElement {
	text := func(e *format.SchemaElement) {
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType = format.LogicalType{Value: new(format.StringType)}
	}
	instant := func(e *format.SchemaElement) {
		e.ConvertedType = thrift.New(deprecated.TimestampMillis)
		e.LogicalType = format.LogicalType{Value: &format.TimestampType{
			IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: new(format.MilliSeconds)},
		}}
	}
	nodes := []format.SchemaElement{{Name: "schema", NumChildren: thrift.New(int32(len(columns) - 1))}}
	for _, c := range columns {
		if c.path[0] == "image" && c.path[1] == "bytes" {
			nodes = append(nodes, format.SchemaElement{
				Name: "image", RepetitionType: thrift.New(format.Optional), NumChildren: thrift.New[int32](2),
			})
		}
		node := format.SchemaElement{
			Name: c.path[len(c.path)-1], Type: thrift.New(c.kind), RepetitionType: thrift.New(format.Optional),
		}
		switch {
		case c.text != nil:
			text(&node)
		case c.kind == format.Int64:
			instant(&node)
		}
		nodes = append(nodes, node)
	}
	return nodes
}
