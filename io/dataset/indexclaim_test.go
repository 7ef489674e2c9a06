package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/kvsframes/kvsframes/io/ledger"
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
	footer = binary.LittleEndian.AppendUint32(bytes.Clone(footer), uint32(len(footer)))
	footer = append(footer, "PAR1"...)
	seal := binary.LittleEndian.AppendUint32([]byte("PAR1"), crc32.Checksum(footer, castagnoli))
	return append(seal, footer...)
}

// TestIndexClaims: what an index claims to have is bounded before memory is taken for
// it, and one that claims more is damaged.
func TestIndexClaims(t *testing.T) {
	list := func(size uint64) []byte { // field 2, the schema: a list of structs
		return binary.AppendUvarint([]byte{0x29, 0xfc}, size)
	}
	for name, test := range map[string]struct {
		data []byte
		size int64
		says string
	}{
		"a footer of 4 GiB": {
			[]byte("\xf0\xff\xff\xffPAR1"), 5 << 30,
			"its footer claims 4294967280 bytes, there must be at most 67108864",
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
	} {
		dir := create(t)
		write(t, dir, shardOf(door, 0, "fnfd"))
		overwrite(t, dir, indexFile, nil)
		file, err := os.OpenFile(filepath.Join(dir, indexFile), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = file.WriteAt(test.data, max(test.size-int64(len(test.data)), 0))
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
		var report Report
		if n := allocated(func() { report = verify(t, dir) }); n > 32<<20 {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
		said := strings.Join(report.Problems, "\n")
		if !report.Stale || !strings.Contains(said, test.says) || !strings.Contains(said, "damaged") {
			t.Errorf("%s: %q of Verify must contain %q", name, said, test.says)
		}
		if report := repair(t, dir); !report.Complete || report.Repaired != 1 {
			t.Errorf("%s: Repair = %+v", name, report)
		}
	}
}

// TestIndexGroupClaim: a row group that claims more than any has is not loaded.
func TestIndexGroupClaim(t *testing.T) {
	dir := create(t)
	write(t, dir, shardOf(door, 0, "fnfd"))
	index(t, dir)
	x := openForTest(t, dir)
	x.seals[0].End = x.seals[0].First + groupLimit + 1
	_, err := x.Read(t.Context(), 0)
	if err == nil || !strings.Contains(err.Error(), "row group claims 1073741825 bytes") {
		t.Errorf("Read: %v", err)
	}
}

// TestFooterOfManyGroups: what a row group adds to the footer is bounded, however long
// labels are, and so small that no dataset reaches the limit.
func TestFooterOfManyGroups(t *testing.T) {
	footer := func(groups, label int) (size int, data []byte) {
		var file bytes.Buffer
		w := newIndexWriter(&file, ledger.Listing{})
		for range groups {
			name := strings.Repeat("n", 256)
			err := w.write([]Sample{{
				Key: name, Stream: name, StreamARN: strings.Repeat("a", 1024), Series: name,
				Outcome: frameOutcome, Kind: ledger.Frame,
				File: "shards/" + name + name, Size: 1, TensorFile: "shards/" + name + name, TensorSize: math.MaxInt32,
				Labels: map[string]string{"label": strings.Repeat("l", label)},
			}})
			if err := errors.Join(err, w.endGroup()); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.close(); err != nil {
			t.Fatal(err)
		}
		data = file.Bytes()
		return int(binary.LittleEndian.Uint32(data[len(data)-footerEnd:])), data
	}
	few, _ := footer(10, 100_000)
	many, data := footer(110, 100_000)
	each := (many - few) / 100
	if rows := footerLimit / each * indexGroupRows; each > 12_000 || rows < 500_000_000 {
		t.Errorf("a group adds %d bytes: an index may have %d rows", each, rows)
	}
	if err := checkFooter(data[len(data)-footerEnd-many : len(data)-footerEnd]); err != nil {
		t.Error(err)
	}
	if _, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data))); err != nil {
		t.Error(err)
	}
}

// TestIndexTooLarge: an index that nobody would read is not written.
func TestIndexTooLarge(t *testing.T) {
	s := &sealer{file: new(bytes.Buffer)}
	err := s.close(func(string, string) {}, func() error {
		_, err := s.Write(footed(make([]byte, footerLimit+1)))
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "its footer has 67108865 bytes") {
		t.Errorf("close: %v", err)
	}
	s.group.End = groupLimit + 1
	if err := s.endGroup(); err == nil || !strings.Contains(err.Error(), "its row group has 1073741825 bytes") {
		t.Errorf("endGroup: %v", err)
	}
}
