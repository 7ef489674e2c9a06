package dataset

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// sealAnew makes the checksum of a footer right, as whoever changes it would.
func sealAnew(data []byte) {
	if len(data) < footerEnd {
		return
	}
	footer := int64(len(data)) - footerEnd - int64(binary.LittleEndian.Uint32(data[len(data)-footerEnd:]))
	if footer >= sealSize {
		binary.LittleEndian.PutUint32(data[footer-sealSize:], crc32.Checksum(data[footer:], castagnoli))
	}
}

// FuzzIndex: whatever index.parquet holds, checksums right, reading it is an error or
// gives rows whose names stay in the dataset and whose sizes are sizes.
func FuzzIndex(f *testing.F) {
	dir := createIn(f, "webdataset")
	write(f, dir, shardOf(door, 0, "fnfd"))
	index(f, dir)
	whole, err := os.ReadFile(filepath.Join(dir, indexFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[len(whole)/2:])
	f.Fuzz(func(t *testing.T, data []byte) {
		sealAnew(data)
		overwrite(t, dir, indexFile, data)
		x, err := opened(t, dir).OpenIndex(t.Context())
		if err != nil {
			return
		}
		defer x.Close()
		for group := range x.Groups() {
			if seal := &x.seals[group]; seal.First >= 0 && seal.First <= seal.End && seal.End <= int64(len(data)) {
				seal.Sum = crc32.Checksum(data[seal.First:seal.End], castagnoli)
			}
			samples, err := x.Read(t.Context(), group)
			if err != nil {
				continue
			}
			for _, s := range samples {
				if s.Kind == ledger.Frame && (!filepath.IsLocal(s.File) || s.Size < 1 || s.Offset < 0 || s.Offset+s.Size < 0) {
					t.Errorf("a row is %+v", s)
				}
			}
		}
	})
}

// TestIndexCrafted: no row is read that WriteIndex cannot have written.
func TestIndexCrafted(t *testing.T) {
	dir := createIn(t, "webdataset")
	write(t, dir, shardOf(door, 0, "ff"))
	rows := index(t, dir)
	for want, change := range map[string]func(s *Sample){
		"not the key of its stream and time": func(s *Sample) { s.Stream = "../../outside" },
		`its series is "../../outside"`:      func(s *Sample) { s.Series = "../../outside" },
		`its series is "front~door_/../x"`:   func(s *Sample) { s.Series = frame.FileName(s.Stream) + "_/../x" },
		`its file is "../outside"`:           func(s *Sample) { s.File = "../outside" },
		`its file is "shards/../../x"`:       func(s *Sample) { s.File = "shards/../../x" },
		`its tensor's "/etc/passwd"`:         func(s *Sample) { s.TensorFile, s.TensorSize = "/etc/passwd", 1 },
		"it has 2147483648 bytes":            func(s *Sample) { s.Size = 1 << 31 },
		"it has -1 bytes":                    func(s *Sample) { s.Size = -1 },
		"and a tensor of 2147483648":         func(s *Sample) { s.TensorFile, s.TensorSize = s.File, 1<<31 },
		"it is at -1":                        func(s *Sample) { s.Offset = -1 },
		"it is at 9223372036854775807":       func(s *Sample) { s.Offset = math.MaxInt64 },
		"it is -1×9 pixels":                  func(s *Sample) { s.Width = -1 },
	} {
		crafted := append([]Sample(nil), rows...)
		change(&crafted[1])
		CraftIndex(t, dir, crafted)
		x := openForTest(t, dir)
		if _, err := x.Read(t.Context(), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v must contain %q", err, want)
		}
	}
}
