package container

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
)

// webdataset is one tar a shard, as the WebDataset library reads it: a picture,
// the tensor beside it, then a JSON file, of the same key.
var webdataset = Archive{Extension: ".tar", lay: newTarLayout, parse: scanTar}

// sidecar is the .json member of a frame. No field is ever left out: readers take
// the first one's fields for those of all.
type sidecar struct {
	Key          string `json:"key"`
	Stream       string `json:"stream"`         // name
	StreamARN    string `json:"stream_arn"`     // empty where only the name is known
	SampleTime   string `json:"sample_time"`    // the instant asked for: RFC 3339, UTC, with milliseconds
	SampleTimeMs int64  `json:"sample_time_ms"` // the same in milliseconds since the Unix epoch
	ImageTime    string `json:"image_time"`     // the instant of the picture that the service found for it
	ImageTimeMs  int64  `json:"image_time_ms"`
	Format       string `json:"format"` // JPEG, PNG or NPY
	Width        int32  `json:"width"`  // pixels
	Height       int32  `json:"height"` // pixels

	Labels json.RawMessage `json:"labels,omitempty"` // an object of texts; not where no frame of the file has any
}

// tarBlock is what everything in a tar is padded to.
const tarBlock = 512

// padding is also what a tar ends with.
var padding [2 * tarBlock]byte

type tarLayout struct {
	members []Member
	order   []Item
	labels  bool
	buffer  bytes.Buffer
	texts   map[textShape]int // lengths of texts without labels
}

// sidecarExtension is that of a frame's JSON file.
const sidecarExtension = ".json"

func newTarLayout(members []Member) (layout, error) {
	l := &tarLayout{members: members, order: Items(members), labels: labelled(members), texts: make(map[textShape]int)}
	// Tar can hold every header but one with a strange name, and that is the
	// stream's: where there is one in its way, no other of the stream passes either.
	passed := make(map[string]bool)
	for i := range members {
		if passed[members[i].Stream] {
			continue
		}
		passed[members[i].Stream] = true
		if err := l.header(i, members[i].Name(false), members[i].Size); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *tarLayout) blobs() []Item { return l.order }

func (l *tarLayout) before(i int) []byte {
	b := &l.order[i]
	l.buffer.Reset()
	l.header(b.Frame, l.members[b.Frame].Name(b.Tensor), b.Size)
	return l.buffer.Bytes()
}

func (l *tarLayout) after(i int, _ []byte) []byte {
	b := &l.order[i]
	m := &l.members[b.Frame]
	l.buffer.Reset()
	l.pad(b.Size)
	if m.TensorSize > 0 && !b.Tensor {
		return l.buffer.Bytes()
	}
	text := l.text(m)
	l.header(b.Frame, m.Key()+sidecarExtension, len(text))
	l.buffer.Write(text)
	l.pad(len(text))
	return l.buffer.Bytes()
}

// text returns what stands in the JSON file of a frame.
func (l *tarLayout) text(m *Member) []byte {
	var labels json.RawMessage
	if l.labels {
		labels = json.RawMessage(frame.LabelsJSON(m.Labels))
	}
	text, _ := json.Marshal(sidecar{ // strings and numbers always can
		Key: m.Key(), Stream: m.Stream, StreamARN: m.StreamARN,
		SampleTime: frame.Clock(m.SampleMs), SampleTimeMs: m.SampleMs, ImageTime: frame.Clock(m.ImageMs),
		ImageTimeMs: m.ImageMs,
		Format:      m.Format, Width: m.Width, Height: m.Height, Labels: labels,
	})
	return text
}

func (l *tarLayout) end() []byte { return padding[:] }

// header writes the header of a frame's file: USTAR, or PAX where that cannot hold
// it. The file was modified when its sample was: anything else would change from one
// run to the next.
func (l *tarLayout) header(i int, name string, size int) error {
	if l.isPlain(i, name) {
		l.buffer.Write(plainHeader(name, int64(size), l.members[i].SampleMs/1000))
		return nil
	}
	return l.anyHeader(i, name, size)
}

// isPlain reports whether the header of a frame's file is plain.
func (l *tarLayout) isPlain(i int, name string) bool {
	return l.members[i].SampleMs/1000 >= 0 && isPlain(name)
}

func (l *tarLayout) anyHeader(i int, name string, size int) error {
	return tar.NewWriter(&l.buffer).WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: int64(size), Mode: 0o644,
		ModTime: time.Unix(l.members[i].SampleMs/1000, 0),
	})
}

func (l *tarLayout) pad(size int) {
	l.buffer.Write(padding[:-size&(tarBlock-1)])
}
