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

// DecodeJSON reads what EncodeJSON wrote. A field that is not known is an error:
// a later version that has more fields is told by the version of the dataset. The
// other errors are those of [CutChecksum].
func DecodeJSON(data []byte, m proto.Message) error {
	object, err := CutChecksum(data)
	if err != nil {
		return err
	}
	return protojson.Unmarshal(object, m)
}
