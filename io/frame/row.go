package frame

import (
	"io"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/coder"
)

// Beam's schemas have the fields of these types as never null, but its row coder
// writes a nil slice or map as null, which other SDKs refuse. So they are written as
// empty, and read back as nil. The types here have the fields alone: Beam's own coder
// is for them.
type (
	frameRow Frame
	shardRow Shard
)

func init() {
	registerRow(
		func(f Frame) frameRow {
			f.Data, f.Tensor = written(f.Data), written(f.Tensor)
			if f.Labels == nil {
				f.Labels = map[string]string{}
			}
			return frameRow(f)
		},
		func(f frameRow) Frame {
			f.Data, f.Tensor = read(f.Data), read(f.Tensor)
			if len(f.Labels) == 0 {
				f.Labels = nil
			}
			return Frame(f)
		})
	registerRow(
		func(s Shard) shardRow {
			s.Frames, s.Gaps, s.Drops = written(s.Frames), written(s.Gaps), written(s.Drops)
			s.Transforms, s.Again = written(s.Transforms), written(s.Again)
			return shardRow(s)
		},
		func(s shardRow) Shard {
			s.Frames, s.Gaps, s.Drops = read(s.Frames), read(s.Gaps), read(s.Drops)
			s.Transforms, s.Again = read(s.Transforms), read(s.Again)
			return Shard(s)
		})
}

func written[T any](slice []T) []T {
	if slice == nil {
		return []T{}
	}
	return slice
}

func read[T any](slice []T) []T {
	if len(slice) == 0 {
		return nil
	}
	return slice
}

// registerRow makes Beam write a T as a Row, and read it so.
func registerRow[T, Row any](write func(T) Row, read func(Row) T) {
	row := reflect.TypeFor[Row]()
	coder.RegisterSchemaProviders(reflect.TypeFor[T](),
		func(reflect.Type) (func(any, io.Writer) error, error) {
			encode, err := coder.RowEncoderForStruct(row)
			return func(v any, w io.Writer) error { return encode(write(v.(T)), w) }, err
		},
		func(reflect.Type) (func(io.Reader) (any, error), error) {
			decode, err := coder.RowDecoderForStruct(row)
			return func(r io.Reader) (any, error) {
				v, err := decode(r)
				if err != nil {
					return nil, err
				}
				return read(v.(Row)), nil
			}, err
		})
}
