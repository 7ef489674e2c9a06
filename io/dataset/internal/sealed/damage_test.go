package sealed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// readAll opens a file, and reads all that is in it.
func readAll(file store.File) error {
	f, err := Open(file)
	if err != nil {
		return err
	}
	if _, err := f.Receipts(); err != nil {
		return err
	}
	return f.Check(webdataset)
}

func readData(data []byte) error { return readAll(memory{Reader: bytes.NewReader(data)}) }

// TestEveryByte: a file of which any byte was changed, or that ends early, is damaged.
func TestEveryByte(t *testing.T) {
	data := written(t, webdataset, small(t, webdataset))
	if err := readData(data); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] ^= 0x41
		if err := readData(data); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d of %d was changed: %v", i, len(data), err)
		}
		data[i] ^= 0x41
		if err := readData(data[:i]); !errors.Is(err, ErrDamaged) {
			t.Errorf("only %d of %d bytes: %v", i, len(data), err)
		}
	}
	if err := readData(append(data, 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a byte more: %v", err)
	}
}

// sumAnew makes the checksums of a file right, as whoever changes it would.
func sumAnew(data []byte) {
	if len(data) < endSize {
		return
	}
	footer := int64(len(data)) - endSize - int64(binary.LittleEndian.Uint32(data[len(data)-endSize:]))
	if footer >= 2*sumSize {
		binary.LittleEndian.PutUint32(data[footer-sumSize:], sumOf(data[footer:]))
		binary.LittleEndian.PutUint32(data[footer-2*sumSize:], sumOf(data[:footer-2*sumSize]))
	}
}

// FuzzFile: whatever a file holds, checksums right, reading it is an error of damage or gives
// receipts of that table.
func FuzzFile(f *testing.F) {
	whole := written(f, webdataset, small(f, webdataset))
	f.Add(whole)
	f.Add(whole[len(whole)/2:])
	f.Add(written(f, webdataset, receiptsOf(1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		sumAnew(data)
		file, err := Open(memory{Reader: bytes.NewReader(data)})
		if err == nil {
			var receipts []*framepb.Receipt
			if receipts, err = file.Receipts(); err == nil {
				if len(receipts) != len(file.Table()) {
					t.Errorf("there are %d receipts of %d", len(receipts), len(file.Table()))
				}
				Digest(receipts)
				err = file.Check(webdataset)
			}
		}
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
	})
}

// crafted is the small file with row n changed, all rows where n is negative, and with another table where one is given.
func crafted(t *testing.T, n int, change func(r *row), table string, options ...parquet.WriterOption) []byte {
	t.Helper()
	receipts := small(t, webdataset)
	packed, err := packTable(receipts)
	if err != nil {
		t.Fatal(err)
	}
	if table == "" {
		table = packed
	}
	parts := func(yield func([]row, error) bool) {
		at := 0
		for part, err := range rowsOfAll(webdataset, receipts) {
			for i := range part {
				if n < 0 || at == n {
					change(&part[i])
				}
				at++
			}
			if !yield(part, err) {
				return
			}
		}
	}
	var file bytes.Buffer
	if err := writeRows(&file, table, parts, options...); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func unchanged(*row) {}

// TestEveryColumn: a value that is not what the receipts say is found in any column. What
// receipts are read from makes other receipts, of another digest.
func TestEveryColumn(t *testing.T) {
	whole, digest := crafted(t, 0, unchanged, ""), Digest(small(t, webdataset))
	for name, change := range map[string]func(r *row){
		"key":           func(r *row) { r.Key = "x" + r.Key[1:] },
		"stream":        func(r *row) { r.Stream += "x" },
		"stream_arn":    func(r *row) { r.StreamARN = door.StreamARN },
		"series":        func(r *row) { r.Series += "x" },
		"sample_time":   func(r *row) { r.SampleTime++ },
		"image_time":    func(r *row) { r.ImageTime = new(r.SampleTime) },
		"kind":          func(r *row) { r.Kind += "x" },
		"outcome":       func(r *row) { r.Outcome += "x" },
		"file":          func(r *row) { r.File = new("shards/x") },
		"offset":        func(r *row) { r.Offset = new(int64(5)) },
		"size":          func(r *row) { r.Size = new(int64(99)) },
		"sha256":        func(r *row) { r.SHA256 = new(strings.Repeat("00", 32)) },
		"format":        func(r *row) { r.Format = new("NPY") },
		"width":         func(r *row) { r.Width = new(int32(17)) },
		"height":        func(r *row) { r.Height = nil },
		"labels":        func(r *row) { r.Labels = new(`{"a": "b"}`) },
		"tensor_file":   func(r *row) { r.TensorFile = nil },
		"tensor_offset": func(r *row) { r.TensorOffset = new(int64(0)) },
		"tensor_size":   func(r *row) { r.TensorSize = nil },
		"tensor_sha256": func(r *row) { r.TensorSHA256 = new("") },
		"cause":         func(r *row) { r.Cause = new("I did") },
	} {
		for n := range 9 {
			data := crafted(t, n, change, "")
			err := readData(data)
			same := bytes.Equal(data, whole)
			if err == nil && !same {
				f, _ := opened(t, data)
				receipts, err := f.Receipts()
				same = err == nil && Digest(receipts) != digest
			}
			if same != (err == nil) || err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("%s was changed in row %d: %v", name, n, err)
			}
		}
	}
}

// TestBadValues: no receipt is made of values that none has.
func TestBadValues(t *testing.T) {
	for want, change := range map[string]func(r *row){
		"size has a value of 2147483648": func(r *row) { r.Size = new(int64(1 << 31)) },
		"size has a value of 0":          func(r *row) { r.Size = new(int64(0)) },
		"size has 3 values":              func(r *row) { r.Size = nil },
		"width has a value of -1":        func(r *row) { r.Width = new(int32(-1)) },
		"sha256 has a value of 2 digits": func(r *row) { r.SHA256 = new("00") },
		"invalid byte":                   func(r *row) { r.SHA256 = new(strings.Repeat("x", 64)) },
		"ms from its sample":             func(r *row) { r.ImageTime = new(int64(0)) },
		"unexpected end of JSON":         func(r *row) { r.Labels = new(`{"a":`) },
		"the texts of a column":          func(r *row) { r.Labels = new("") },
	} {
		f, _ := opened(t, crafted(t, 0, change, ""))
		_, err := f.Receipts()
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v must be of damage and contain %q", err, want)
		}
	}
}

// TestOtherRow: a value that stands in another row is found.
func TestOtherRow(t *testing.T) {
	var moved *string
	data := crafted(t, -1, func(r *row) {
		if r.Kind == "gap" {
			r.Cause, moved = moved, r.Cause
		}
	}, "")
	if err := readData(data); err == nil || !strings.Contains(err.Error(), "column cause is not") {
		t.Error(err)
	}
}

// TestFooter: what the footer tells readers of Parquet is what the rows are.
func TestFooter(t *testing.T) {
	for want, change := range map[string]func(meta *format.FileMetaData){
		"it says 10 rows":                 func(meta *format.FileMetaData) { meta.NumRows++ },
		"in its group 10:":                func(meta *format.FileMetaData) { meta.RowGroups[0].NumRows++ },
		"it has 0 row groups":             func(meta *format.FileMetaData) { meta.RowGroups = nil },
		"and 21 nodes":                    func(meta *format.FileMetaData) { meta.Schema = meta.Schema[:21] },
		`in its schema "x"`:               func(meta *format.FileMetaData) { meta.Schema[3].Name = "x" },
		"its columns are":                 func(meta *format.FileMetaData) { meta.Schema[5].LogicalType.Value = nil },
		`it has version "1"`:              func(meta *format.FileMetaData) { setMetadata(meta, versionKey, "1") },
		"its table of receipts claims 0":  func(meta *format.FileMetaData) { setMetadata(meta, tableKey, "") },
		"the statistics of its column":    func(meta *format.FileMetaData) { chunk(meta).Statistics.MaxValue = []byte("x") },
		"key claims 9223372036854775807 ": func(meta *format.FileMetaData) { chunk(meta).TotalCompressedSize = math.MaxInt64 },
		"bytes at -1":                     func(meta *format.FileMetaData) { chunk(meta).DataPageOffset = -1 },
		"of codec GZIP":                   func(meta *format.FileMetaData) { chunk(meta).Codec = format.Gzip },
		"a page of type INT32":            func(meta *format.FileMetaData) { chunk(meta).Type = format.Int32 },
	} {
		data := written(t, webdataset, small(t, webdataset))
		f, _ := opened(t, data)
		change(&f.meta)
		footer, err := thrift.Marshal(new(thrift.CompactProtocol), f.meta)
		if err != nil {
			t.Fatal(err)
		}
		data = append(bytes.Clone(data[:f.body+2*sumSize]), footer...)
		data = append(binary.LittleEndian.AppendUint32(data, uint32(len(footer))), "PAR1"...)
		sumAnew(data)
		if err := readData(data); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v must be of damage and contain %q", err, want)
		}
	}
}

func setMetadata(meta *format.FileMetaData, key, value string) {
	for i := range meta.KeyValueMetadata {
		if meta.KeyValueMetadata[i].Key == key {
			meta.KeyValueMetadata[i].Value = value
		}
	}
}

// chunk is what a footer tells of the first column.
func chunk(meta *format.FileMetaData) *format.ColumnMetaData {
	return &meta.RowGroups[0].Columns[0].MetaData
}

// TestOtherEncoding: a file that another version encoded and compressed in another way is
// whole, and a change in it is found all the same.
func TestOtherEncoding(t *testing.T) {
	for name, option := range map[string]parquet.WriterOption{
		"compressed": parquet.Compression(&zstd.Codec{Level: zstd.SpeedBestCompression}),
		"small":      parquet.PageBufferSize(64),
		"plain":      parquet.DefaultEncodingFor(parquet.ByteArray, &parquet.Plain),
		"few":        parquet.DictionaryMaxBytes(1),
	} {
		if err := readData(crafted(t, 0, unchanged, "", option)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		err := readData(crafted(t, 6, func(r *row) { r.Offset = new(int64(5)) }, "", option))
		if err == nil || !strings.Contains(err.Error(), "column offset is not what its receipts say") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
