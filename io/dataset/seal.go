package dataset

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A sealed Parquet file has checksums where Parquet has none: parquet-go (0.32)
// panics at some files that are damaged there, and ends the process at others. The
// seals of its row groups are in its metadata; that of its footer stands right
// before the footer, where readers of Parquet look at nothing, and before it that of
// what stands between the last group and the footer.

// sealKey is the name of a sealed file's metadata that has the seals.
const sealKey = "kvsframes.seals"

// sealSize is the size of a footer's seal.
const sealSize = 4

// footerEnd is the size of what ends a Parquet file: the size of the footer, and
// the magic bytes.
const footerEnd = 8

// What an index claims is bounded before memory is taken for it. A row group of
// indexGroupRows adds 2 kB to the footer, or 8 kB with the longest names: 64 MiB are
// reached by no index of less than half a billion rows. Of a group's bytes, most are
// labels: 10 kB a row are more than there is room for elsewhere.
const (
	footerLimit = 64 << 20
	groupLimit  = 1 << 30
)

// groupSeal is the checksum of all bytes from First to End, a row group's.
type groupSeal struct {
	First int64  `json:"first"`
	End   int64  `json:"end"`
	Sum   uint32 `json:"sum"`
}

// sealer writes a sealed file.
type sealer struct {
	file    io.Writer
	group   groupSeal // that is being written
	groups  []groupSeal
	closing *bytes.Buffer // what comes after the last group
}

func (s *sealer) Write(p []byte) (int, error) {
	if s.closing != nil {
		return s.closing.Write(p)
	}
	n, err := s.file.Write(p)
	s.group.End += int64(n)
	s.group.Sum = crc32.Update(s.group.Sum, castagnoli, p[:n])
	return n, err
}

// endGroup must be called when all of a group has been written.
func (s *sealer) endGroup() error {
	if n := s.group.End - s.group.First; n > groupLimit {
		return fmt.Errorf("its row group has %d bytes, it must have at most %d: make labels shorter", n, groupLimit)
	}
	s.groups = append(s.groups, s.group)
	s.group = groupSeal{First: s.group.End, End: s.group.End}
	return nil
}

// close seals the footer that end writes.
func (s *sealer) close(setMetadata func(key, value string), end func() error) error {
	seals, err := json.Marshal(s.groups)
	if err != nil {
		return err
	}
	setMetadata(sealKey, string(seals))
	s.closing = new(bytes.Buffer)
	if err := end(); err != nil {
		return err
	}
	rest := s.closing.Bytes()
	length := int(binary.LittleEndian.Uint32(rest[len(rest)-footerEnd:]))
	if length > footerLimit {
		return fmt.Errorf("its footer has %d bytes, it must have at most %d: make datasets of fewer samples",
			length, footerLimit)
	}
	footer := rest[len(rest)-footerEnd-length:]
	if _, err := s.file.Write(rest[:len(rest)-len(footer)]); err != nil {
		return err
	}
	between := crc32.Update(s.group.Sum, castagnoli, rest[:len(rest)-len(footer)])
	seal := binary.LittleEndian.AppendUint32(nil, between)
	seal = binary.LittleEndian.AppendUint32(seal, crc32.Checksum(footer, castagnoli))
	_, err = s.file.Write(append(seal, footer...))
	return err
}

var errSeal = errors.New("it is damaged: a checksum does not match")

// openSealed opens a sealed file, and returns the seals of its row groups.
func openSealed(file *ranges) (*parquet.File, []groupSeal, error) {
	size := file.Size()
	end, err := file.load(max(0, size-footerEnd), size)
	if err != nil {
		return nil, nil, err
	}
	file.release(end)
	if len(end.data) < footerEnd {
		return nil, nil, errSeal
	}
	claimed := int64(binary.LittleEndian.Uint32(end.data))
	if claimed > footerLimit {
		return nil, nil, fmt.Errorf("it is damaged: its footer claims %d bytes, there must be at most %d",
			claimed, footerLimit)
	}
	length := footerEnd + claimed
	if length+sealSize > size {
		return nil, nil, errSeal
	}
	tail, err := file.load(size-length-sealSize, size)
	if err != nil {
		return nil, nil, err
	}
	defer file.release(tail)
	if crc32.Checksum(tail.data[sealSize:], castagnoli) != binary.LittleEndian.Uint32(tail.data) {
		return nil, nil, errSeal
	}
	if err := checkFooter(tail.data[sealSize : len(tail.data)-footerEnd]); err != nil {
		return nil, nil, fmt.Errorf("it is damaged: %w", err)
	}
	reader, err := parquet.OpenFile(file, size, parquet.SkipMagicBytes(true), parquet.SkipPageIndex(true),
		parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, nil, err
	}
	var seals []groupSeal
	text, _ := reader.Lookup(sealKey)
	if err := json.Unmarshal([]byte(text), &seals); err != nil || len(seals) != len(reader.RowGroups()) {
		return nil, nil, errSeal
	}
	return reader, seals, nil
}

// loadSealed loads a row group, and compares it with its seal.
func loadSealed(file *ranges, seal groupSeal) (*fileRange, error) {
	if n := seal.End - seal.First; n > groupLimit {
		return nil, fmt.Errorf("it is damaged: its row group claims %d bytes, there must be at most %d", n, groupLimit)
	}
	group, err := file.load(seal.First, seal.End)
	if err != nil {
		return nil, err
	}
	if crc32.Checksum(group.data, castagnoli) != seal.Sum {
		file.release(group)
		return nil, errSeal
	}
	return group, nil
}

// checkBetween compares what stands between the last row group and the footer, which
// others read, with its seal.
func checkBetween(file *ranges, seals []groupSeal) error {
	size := file.Size()
	end, err := file.load(size-footerEnd, size)
	if err != nil {
		return err
	}
	defer file.release(end)
	var first int64
	if n := len(seals); n > 0 {
		first = seals[n-1].End
	}
	footer := size - footerEnd - int64(binary.LittleEndian.Uint32(end.data))
	if n := footer - sealSize - first; n > groupLimit {
		return fmt.Errorf("it is damaged: %d bytes stand before its footer, there must be at most %d", n, groupLimit)
	}
	between, err := file.load(first, footer-sealSize)
	if err != nil {
		return err
	}
	defer file.release(between)
	n := len(between.data) - sealSize
	if n < 0 || crc32.Checksum(between.data[:n], castagnoli) != binary.LittleEndian.Uint32(between.data[n:]) {
		return errSeal
	}
	return nil
}
