package sealed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

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

// crafted is the small file with row n changed, and with another table where one is given.
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
			if i := n - at; i >= 0 && i < len(part) {
				change(&part[i])
			}
			at += len(part)
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
