package grid

import "github.com/kvsframes/kvsframes/io/frame"

// StreamKey identifies a stream: by its ARN, or, where that is not known, by its
// name.
type StreamKey struct{ ARN, Name string }

// KeyOf returns the key of a series' stream.
func KeyOf(s frame.Series) StreamKey {
	if s.StreamARN != "" {
		return StreamKey{ARN: s.StreamARN}
	}
	return StreamKey{Name: s.StreamName}
}

// String returns the stream's name, for messages.
func (k StreamKey) String() string {
	if name, ok := frame.NameInARN(k.ARN); ok {
		return name
	}
	return k.Name
}
