// Package container knows the files that hold the pictures of a shard: a folder of files,
// or one file of a format that training code reads. What is written whole or not at all,
// where, and when a receipt follows, is no concern of it.
package container

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// Format is how the frames of a shard become files: shard in, bytes out. All methods may
// be called by many goroutines at once.
type Format interface {
	// Path returns where the shard of a span is kept, relative to the dataset
	// and with forward slashes: the path of one file, or of a folder of files.
	Path(span frame.Span) string

	// Write writes the frames of a shard that has some. It calls create for
	// each file in turn and closes it before the next: with the name "" for a
	// file at Path itself, with any other name for a file in the folder at
	// Path. The same shard must give the same files.
	Write(shard frame.Shard, create func(name string) (io.WriteCloser, error)) error

	// Check returns an error if a receipt is of no shard that Write can have written. It
	// reads no file.
	Check(receipt *framepb.Receipt) error

	// Positions returns where the blobs of a receipt's frames lie, each once and
	// without data. It reads no file: that follows from the receipt. The error is
	// that of Check.
	Positions(receipt *framepb.Receipt) ([]Blob, error)

	// Read yields each blob of a receipt's frames once, or why it cannot be had:
	// an error that satisfies [fs.ErrNotExist] where it is not there, another
	// where it, or what stands around it in its file, is not what Write wrote. It
	// calls open with the names that Write gave to create, and takes no size from
	// a file.
	Read(receipt *framepb.Receipt, open func(name string) (store.File, error)) iter.Seq2[Blob, error]

	// Scan reads the frames of a shard without its receipt, in time order. It calls list,
	// for the names in the folder at Path, where the format has one. Nothing in a file is
	// trusted: the error is a *NotShardError where Write does not write such files for a
	// shard of that span; others are those of list, of open and of the files. It holds the
	// frames in memory.
	Scan(span frame.Span, list func() ([]string, error), open func(name string) (store.File, error)) (
		[]frame.Frame, error)
}

// Blob is the picture of a frame or the tensor beside it, and where its bytes lie.
type Blob struct {
	Frame  int    // among the frames of the shard, from 0
	Tensor bool   // it is the tensor
	Data   []byte // valid until the next one
	Position
}

// Kind names what it is to people.
func (b *Blob) Kind() string {
	if b.Tensor {
		return "tensor"
	}
	return "frame"
}

// Position is where the bytes of a blob lie.
type Position struct {
	Name   string // of its file, as Write gives it to create
	Offset int64  // of its first byte in that file
}

// Default is the format of a dataset that is created without one named.
const Default = "webdataset"

// All are the formats by name.
var All = map[string]Format{
	"files":      Folder{},
	"parquet":    parquetFormat,
	"tfrecord":   tfrecord,
	"webdataset": webdataset,
}

// Names lists the names of all formats.
func Names() []string { return slices.Sorted(maps.Keys(All)) }

// Of returns the format of that name.
func Of(name string) (Format, error) {
	format, ok := All[name]
	if !ok {
		return nil, fmt.Errorf("dataset format %q is not known: it must be one of %s", name, strings.Join(Names(), ", "))
	}
	return format, nil
}
