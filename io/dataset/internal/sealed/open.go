package sealed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// ErrDamaged is the error of a file that [Write] cannot have written. Any other error is
// that of the file's store, which says nothing of the file.
var ErrDamaged = errors.New("it is damaged")

// File is a file of sealed receipts that was opened. It may be read by many goroutines at
// once.
type File struct {
	file   store.File
	body   int64 // bytes before the checksums
	sums   []byte
	footer []byte
	meta   format.FileMetaData
	table  []*framepb.Receipt // without columns
	shapes []int32            // of their columns
}

// Open reads the end of a file, mostly in one go, and checks it: not the rows. It does not
// close the file. The error satisfies [ErrDamaged] where the file is not one of receipts, or
// comes from where the file lies.
func Open(file store.File) (*File, error) {
	f := &File{file: file}
	if err := guard(f.open); err != nil {
		return nil, err
	}
	return f, nil
}

// Table returns the receipts without what they say of each frame: columns and tensors are
// empty. They are shared, and must not be changed.
func (f *File) Table() []*framepb.Receipt { return f.table }

// readError is an error of a store.
type readError struct{ error }

// guard makes damage of what is no error of a store, panics included: parquet-go (0.32)
// panics at what somebody has made on purpose.
func guard(do func() error) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%w: %.300v", ErrDamaged, problem)
		}
	}()
	err = do()
	var failed readError
	switch {
	case errors.As(err, &failed):
		return failed.error
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// read reads from first up to end.
func (f *File) read(first, end int64) ([]byte, error) {
	data := make([]byte, end-first)
	n, err := f.file.ReadAt(data, first)
	switch {
	case n == len(data):
		return data, nil
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("it ends before its byte %d", end)
	}
	return nil, readError{err}
}

// lastBytes is more than the footer takes of a file whose receipts have few gaps.
const lastBytes = 64 << 10

func (f *File) open() error {
	size := f.file.Size()
	tail, err := f.read(max(0, size-lastBytes), size)
	if err != nil {
		return err
	}
	if len(tail) < endSize {
		return fmt.Errorf("it has %d bytes", size)
	}
	length := int64(binary.LittleEndian.Uint32(tail[len(tail)-endSize:])) + endSize
	switch {
	case length > footerLimit+endSize:
		return fmt.Errorf("its footer claims %d bytes, there must be at most %d", length-endSize, footerLimit)
	case length+2*sumSize > size:
		return fmt.Errorf("its footer claims %d bytes of %d", length-endSize, size)
	case length+2*sumSize > int64(len(tail)):
		if tail, err = f.read(size-length-2*sumSize, size); err != nil {
			return err
		}
	}
	f.body = size - length - 2*sumSize
	f.footer = tail[int64(len(tail))-length:]
	f.sums = tail[len(tail)-len(f.footer)-2*sumSize:][:2*sumSize]
	if sumOf(f.footer) != binary.LittleEndian.Uint32(f.sums[sumSize:]) {
		return errSum
	}
	return f.parse()
}

var errSum = errors.New("a checksum does not match")

// parse reads the footer.
func (f *File) parse() error {
	footer := f.footer[:len(f.footer)-endSize]
	if _, err := measure(footer, footerItems); err != nil {
		return fmt.Errorf("its footer cannot be one: %w", err)
	}
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer, &f.meta); err != nil {
		return err
	}
	if v := f.lookUp(versionKey); v != version {
		return fmt.Errorf("it has version %.100q, this kvsframes knows %s", v, version)
	}
	var err error
	if f.table, f.shapes, err = unpackTable(f.lookUp(tableKey)); err != nil {
		return err
	}
	if len(f.meta.RowGroups) != 1 {
		return fmt.Errorf("it has %d row groups, there must be one", len(f.meta.RowGroups))
	}
	group := &f.meta.RowGroups[0]
	if rows := f.samples(); f.meta.NumRows != rows || group.NumRows != rows {
		return fmt.Errorf("it says %d rows, in its group %d: its receipts have %d samples",
			f.meta.NumRows, group.NumRows, rows)
	}
	if len(group.Columns) != len(columns) || len(f.meta.Schema) != len(columns)+1 {
		return fmt.Errorf("it has %d columns, and %d nodes in its schema: there must be %d, and one more",
			len(group.Columns), len(f.meta.Schema), len(columns))
	}
	for i, name := range columns {
		path, node := group.Columns[i].MetaData.PathInSchema, f.meta.Schema[i+1].Name
		if len(path) != 1 || path[0] != name || node != name {
			return fmt.Errorf("its column %d is %.100q, in its schema %.100q: it must be %s", i, path, node, name)
		}
	}
	return nil
}

func (f *File) lookUp(key string) string {
	i := slices.IndexFunc(f.meta.KeyValueMetadata, func(kv format.KeyValue) bool { return kv.Key == key })
	if i < 0 {
		return ""
	}
	return f.meta.KeyValueMetadata[i].Value
}

// samples returns how many samples the table has.
func (f *File) samples() int64 {
	last := f.table[len(f.table)-1]
	return last.First + int64(last.Samples) - f.table[0].First
}

// columns are the names of the columns, in their order.
var columns = func() (names []string) {
	for _, path := range parquet.SchemaOf(row{}).Columns() {
		names = append(names, path[0])
	}
	return names
}()

// load reads all before the checksums.
func (f *File) load() ([]byte, error) {
	if f.body > bodyLimit {
		return nil, fmt.Errorf("its rows take %d bytes, there must be at most %d", f.body, bodyLimit)
	}
	body, err := f.read(0, f.body)
	if err == nil && sumOf(body) != binary.LittleEndian.Uint32(f.sums) {
		err = errSum
	}
	return body, err
}

// column reads a column out of the body.
func (f *File) column(body []byte, name string) (column, error) {
	i := slices.Index(columns, name)
	meta := &f.meta.RowGroups[0].Columns[i].MetaData
	first, size := meta.DataPageOffset, meta.TotalCompressedSize
	if at := meta.DictionaryPageOffset; at > 0 {
		first = at
	}
	if first < 0 || size < 0 || first > int64(len(body)) || size > int64(len(body))-first || meta.Codec != format.Zstd {
		return column{}, fmt.Errorf("%s claims %d bytes at %d, of codec %v", name, size, first, meta.Codec)
	}
	rows := int(f.samples())
	r := columnReader{
		data: body[first : first+size], kind: meta.Type, all: rows, rows: rows, room: roomOf(name, rows),
		optional: f.meta.Schema[i+1].RepetitionType.V == format.Optional,
	}
	if err := r.read(); err != nil {
		return column{}, fmt.Errorf("%s: %w", name, err)
	}
	return r.column, nil
}

// roomOf returns how many bytes a column may have when it is decompressed.
func roomOf(name string, rows int) int {
	switch name {
	case "labels", "cause":
		return textRoom
	case "key", "file", "tensor_file":
		return rows*(pathLimit+256) + lastBytes
	}
	return rows*96 + lastBytes
}
