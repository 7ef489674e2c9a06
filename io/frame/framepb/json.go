package framepb

import (
	"bytes"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// EncodeJSON writes a message as one line of protojson in one spelling, with a
// checksum as [AppendChecksum] adds it: protojson varies its spacing on purpose,
// and equal messages must become equal files.
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
	return AppendChecksum(line.Bytes()), nil
}

// DecodeJSON reads what EncodeJSON wrote. An unknown field is an error: the version of
// a dataset tells of a later form with more fields. The other errors are those of
// [CutChecksum].
func DecodeJSON(data []byte, m proto.Message) error {
	object, err := CutChecksum(data)
	if err != nil {
		return err
	}
	return protojson.Unmarshal(object, m)
}
