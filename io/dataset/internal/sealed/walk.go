package sealed

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// What a footer has of structures in each other, and of all that stands in lists, and the
// header of a page: more than any that is ours.
const (
	depthLimit  = 16
	footerItems = 4096
	headerItems = 64
)

// walk walks through a structure before parquet-go (0.32) reads it, which makes a list as
// long as the list claims to be before it reads what is in it, with hundreds of bytes for a
// structure that takes one, and follows structures in each other without end.
type walk struct {
	thrift.Reader
	items int // how many more there may be in lists
}

// measure returns the size of the structure that data begins with. The error says that it
// has too much in it.
func measure(data []byte, items int) (int, error) {
	w := walk{new(thrift.CompactProtocol).NewReaderFromBytes(data), items}
	err := w.structure(depthLimit)
	return w.BytesRead(), err
}

func (w *walk) structure(depth int) error {
	for {
		field, err := w.ReadField()
		if err != nil || field.Type == thrift.STOP {
			return err
		}
		if field.Type == thrift.TRUE || field.Type == thrift.FALSE {
			continue // the type of a field is its value
		}
		if err := w.value(field.Type, depth-1); err != nil {
			return err
		}
	}
}

func (w *walk) value(kind thrift.Type, depth int) (err error) {
	if depth == 0 {
		return errors.New("it has too many structures in each other")
	}
	switch kind {
	case thrift.TRUE, thrift.FALSE, thrift.I8:
		_, err = w.ReadInt8()
	case thrift.I16:
		_, err = w.ReadInt16()
	case thrift.I32:
		_, err = w.ReadInt32()
	case thrift.I64:
		_, err = w.ReadInt64()
	case thrift.DOUBLE:
		_, err = w.ReadFloat64()
	case thrift.BINARY:
		_, err = w.ReadBytes()
	case thrift.LIST:
		return w.list(depth)
	case thrift.STRUCT:
		return w.structure(depth)
	default:
		err = fmt.Errorf("it has a %v, which no file of ours has", kind)
	}
	return err
}

func (w *walk) list(depth int) error {
	list, err := w.ReadList()
	if err != nil {
		return err
	}
	n := int(list.Size)
	if w.items -= n; w.items < 0 {
		return fmt.Errorf("it claims a list of %d, which is more than any has", n)
	}
	for range n {
		if err := w.value(list.Type, depth-1); err != nil {
			return err
		}
	}
	return nil
}
