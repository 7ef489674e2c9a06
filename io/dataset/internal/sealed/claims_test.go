package sealed

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	zip "github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// allocated is how many bytes a function allocates, those of others at the same time
// included.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// footed ends a file with a footer of our own making, its checksum right.
func footed(footer []byte) []byte {
	data := append([]byte("PAR1\x00\x00\x00\x00\x00\x00\x00\x00"), footer...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(footer)))
	data = append(data, "PAR1"...)
	sumAnew(data)
	return data
}

// TestClaims: what a file claims to have is bounded before memory is taken for it.
func TestClaims(t *testing.T) {
	list := func(size uint64) []byte { // field 2, the schema: a list of structs
		return binary.AppendUvarint([]byte{0x29, 0xfc}, size)
	}
	for name, test := range map[string]struct {
		data []byte
		size int64
		says string
	}{
		"a footer of 4 GiB": {
			[]byte("\xf0\xff\xff\xffPAR1"), 5 << 30, "its footer claims 4294967280 bytes, there must be at most 67108864",
		},
		"one that is little too long": {
			[]byte("\x01\x00\x00\x04PAR1"), 1 << 30, "its footer claims 67108865 bytes",
		},
		"a list without its elements": {footed(list(1 << 20)), 0, "a list of 1048576"},
		"a list of nothing":           {footed(append(list(1<<20), make([]byte, 1<<20)...)), 0, "a list of 1048576"},
		"structs in structs": {
			footed(bytes.Repeat([]byte{0x1c}, 1<<20)), 0, "structures in each other",
		},
		"lists in lists": {
			footed(append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 1<<20)...)), 0, "structures in each other",
		},
		"rows of 1 GiB": {
			sparse(t), 1<<30 + 1<<20, "its rows take",
		},
	} {
		dir := t.TempDir()
		file, err := os.Create(filepath.Join(dir, "file"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = file.WriteAt(test.data, max(test.size-int64(len(test.data)), 0))
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
		opened, err := store.Folder(dir).Open(t.Context(), "file")
		if err != nil {
			t.Fatal(err)
		}
		n := allocated(func() { err = readAll(opened) })
		if opened.Close(); n > 32<<20 {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v must be of damage and contain %q", name, err, test.says)
		}
	}
}

// sparse is the end of a file, from its checksums on.
func sparse(t *testing.T) []byte {
	data := written(t, webdataset, small(t, webdataset))
	return data[len(data)-endSize-int(binary.LittleEndian.Uint32(data[len(data)-endSize:]))-2*sumSize:]
}

// packed is a table of our own making.
func packed(size uint64, data []byte) string {
	encoder := must(zip.NewWriter(nil))
	return base64.StdEncoding.EncodeToString(encoder.EncodeAll(data, binary.AppendUvarint(nil, size)))
}

// TestTableClaims: a table says no more than there is, and no more than there may be.
func TestTableClaims(t *testing.T) {
	table := func(change func(r []*framepb.Receipt)) string {
		receipts := small(t, webdataset)
		change(receipts)
		e := encoder{known: make(map[string]int)}
		e.table(receipts)
		return packed(uint64(len(e.data)), e.data)
	}
	for want, table := range map[string]string{
		"illegal base64 data":                     "?",
		"its table of receipts claims 1073741824": packed(1<<30, nil),
		"claim to be 100":                         packed(100, make([]byte, 32<<20)),
		"claim to be 33554432":                    packed(32<<20, make([]byte, 100)),
		"its series has a phase":                  packed(32<<20, make([]byte, 32<<20)),
		"its table of receipts ends early":        table(func(r []*framepb.Receipt) { r[0].Samples = 10_001 }),
		"has no end where it should": func() string {
			e := encoder{known: make(map[string]int)}
			e.table(small(t, webdataset))
			return packed(uint64(len(e.data)+1), append(e.data, 0))
		}(),
		"it says 9 rows": table(func(r []*framepb.Receipt) {
			r[2].Samples, r[2].Gaps[0].Samples = 3, 3
		}),
		"its table says that receipts have columns": table(func(r []*framepb.Receipt) {
			r[2].TensorSizes = []int32{1}
		}),
		"has a number or text that is too large": table(func(r []*framepb.Receipt) {
			r[0].Transforms, r[1].Transforms = make([]string, textsLimit/2), make([]string, textsLimit/2)
		}),
		"it has no samples":            table(func(r []*framepb.Receipt) { r[2].Samples, r[2].Gaps = 0, nil }),
		"it says 2 frames":             table(func(r []*framepb.Receipt) { r[0].Samples++ }),
		"its run of 5 samples at 1 is": table(func(r []*framepb.Receipt) { r[0].Gaps[0].Samples = 5 }),
		"its run of 1 samples at 2147483647": table(func(r []*framepb.Receipt) {
			r[0].Gaps[0].Offset = math.MaxInt32
		}),
		`is no name of a stream`:              table(func(r []*framepb.Receipt) { r[0].Series.StreamName = "../outside" }),
		`its path is "../outside"`:            table(func(r []*framepb.Receipt) { r[0].Path = "../outside" }),
		`its path is "shards/x" for 0 frames`: table(func(r []*framepb.Receipt) { r[2].Path = "shards/x" }),
		`they must be at`:                     table(func(r []*framepb.Receipt) { r[1].Path = "shards/x" }),
		"its pictures have":                   table(func(r []*framepb.Receipt) { r[1].Bytes++ }),
		"its column format is not":            table(func(r []*framepb.Receipt) { r[1].Format = "NPY" }),
	} {
		data := crafted(t, 0, unchanged, table)
		var err error
		if n := allocated(func() { err = readData(data) }); n > 128<<20 {
			t.Errorf("%s: %d bytes were allocated", want, n)
		}
		if !errors.Is(err, ErrDamaged) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v must be of damage and contain %q", err, want)
		}
	}
}

// TestPageClaims: a page claims no more than its column may have, and refers to nothing that is
// not there.
func TestPageClaims(t *testing.T) {
	type v2 = format.DataPageHeaderV2
	page := func(header format.PageHeader, size int, data []byte) []byte {
		packed, err := codec.Encode(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		header.UncompressedPageSize, header.CompressedPageSize = int32(size), int32(len(packed))
		head, err := thrift.Marshal(new(thrift.CompactProtocol), header)
		if err != nil {
			t.Fatal(err)
		}
		return append(head, packed...)
	}
	values := func(header v2, size int, data []byte) []byte {
		return page(format.PageHeader{Type: format.DataPageV2, DataPageHeaderV2: thrift.New(header)}, size, data)
	}
	dictionary := func(texts int32, data []byte) []byte {
		return page(format.PageHeader{
			Type: format.DictionaryPage, DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: texts}),
		}, len(data), data)
	}
	zeros := make([]byte, 64<<20)
	for _, test := range []struct {
		says  string
		pages []byte
	}{
		{"claims 7168 bytes, 67108864 of them", values(v2{NumValues: 5}, len(zeros), zeros)},
		{"claims 7168 bytes, -1 of them", values(v2{NumValues: 5}, -1, zeros)},
		{"bytes that claim to be 100", values(v2{NumValues: 5}, 100, zeros)},
		{"claims 6 rows of 5", values(v2{NumValues: 6}, 1, zeros[:1])},
		{"claims 0 rows of 5", values(v2{}, 1, zeros[:1])},
		{"and 3 bytes of levels", values(v2{NumValues: 5, DefinitionLevelsByteLength: 3}, 4, zeros[:1])},
		{"type BYTE_ARRAY is encoded as", values(v2{NumValues: 5, Encoding: format.RLE}, 1, zeros[:1])},
		{"its dictionary claims 6 texts", dictionary(6, zeros[:64])},
		{"texts of a column are damaged", dictionary(-1, zeros[:64])},
		{"is of type DICTIONARY_PAGE", append(dictionary(0, nil), dictionary(0, nil)...)},
		{"its pages lack 5 rows", dictionary(5, zeros[:20])},
		{"texts of a column", values(v2{NumValues: 5, Encoding: format.Plain}, 19, zeros[:19])},
		{"texts of a column", values(v2{NumValues: 5, Encoding: format.RLEDictionary}, 3, []byte{8, 10, 0})},
		{"numbers of a column", values(v2{NumValues: 5, Encoding: format.RLEDictionary}, 1, []byte{33})},
		{"numbers of a column", values(v2{NumValues: 5, Encoding: format.DeltaLengthByteArray}, 2, []byte{1, 5})},
		{"structures in each other", bytes.Repeat([]byte{0x1c}, 1<<20)},
		{"a list of 1048576", binary.AppendUvarint([]byte{0x19, 0xf3}, 1<<20)},
	} {
		r := columnReader{data: test.pages, kind: format.ByteArray, all: 5, rows: 5, room: 1 << 20}
		var err error
		if n := allocated(func() { err = r.read() }); n > 32<<20 {
			t.Errorf("%s: %d bytes were allocated", test.says, n)
		}
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v must contain %q", err, test.says)
		}
	}
}

// TestTooLarge: a file that nobody would read is not written.
func TestTooLarge(t *testing.T) {
	w := &sumWriter{file: new(bytes.Buffer)}
	err := w.finish(func() error {
		_, err := w.Write(footed(make([]byte, footerLimit+1)))
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "its footer has 67108865 bytes") {
		t.Errorf("finish: %v", err)
	}
	w = &sumWriter{file: new(bytes.Buffer), size: bodyLimit}
	err = w.finish(func() error {
		_, err := w.Write(footed(make([]byte, 100)))
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "its rows have 1073741836 bytes") {
		t.Errorf("finish: %v", err)
	}
}
