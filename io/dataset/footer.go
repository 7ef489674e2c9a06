package dataset

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// footerDepth is more than a Parquet file's footer has of structures in each other.
const footerDepth = 16

// structBytes is how much a structure in a list takes of a footer, at the least and on
// average over all of it: in an index it is twice that.
const structBytes = 16

// checkFooter walks a footer before parquet-go (0.32) reads it, which makes a list as
// long as the list claims to be before it reads what is in it, with hundreds of bytes
// for a structure that takes one, and follows structures in each other without end.
func checkFooter(footer []byte) error {
	reader := new(thrift.CompactProtocol).NewReaderFromBytes(footer)
	return (&footerWalk{reader, len(footer), len(footer) / structBytes}).structure(footerDepth)
}

type footerWalk struct {
	thrift.Reader
	items   int // how many more there may be in lists: each has a byte
	structs int // how many of these may be structures
}

func (w *footerWalk) structure(depth int) error {
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

func (w *footerWalk) value(kind thrift.Type, depth int) (err error) {
	if depth == 0 {
		return errors.New("its footer has too many structures in each other")
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
		err = fmt.Errorf("its footer has a %v, which no index has", kind)
	}
	return err
}

func (w *footerWalk) list(depth int) error {
	list, err := w.ReadList()
	if err != nil {
		return err
	}
	n := int(list.Size)
	w.items -= n
	if list.Type == thrift.STRUCT {
		w.structs -= n
	}
	if w.items < 0 || w.structs < 0 {
		return fmt.Errorf("its footer claims a list of %d, for which it is too short", n)
	}
	for range n {
		if err := w.value(list.Type, depth-1); err != nil {
			return err
		}
	}
	return nil
}
