package framepb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// EncodeJSON writes a message as one line of protojson in one spelling:
// protojson varies its spacing on purpose, and equal messages must become equal
// files.
func EncodeJSON(m proto.Message) ([]byte, error) {
	loose, err := protojson.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	var line bytes.Buffer
	line.Grow(len(loose) + 1)
	if err := json.Compact(&line, loose); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	line.WriteByte('\n')
	return line.Bytes(), nil
}

// DecodeJSON reads what EncodeJSON wrote, by this version or a later one:
// fields that it does not know are left out. Whatever does not end with its
// line's end was cut short, and is an error.
func DecodeJSON(data []byte, m proto.Message) error {
	if !bytes.HasSuffix(data, []byte("\n")) {
		return errors.New("cut short: the line has no end")
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, m)
}
