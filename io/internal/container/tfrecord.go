package container

import (
	"encoding/binary"
	"hash/crc32"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kvsframes/kvsframes/io/frame"
)

// tfrecord is one TFRecord file a shard, of a tf.train.Example a frame.
var tfrecord = Archive{Extension: ".tfrecord", lay: newRecordLayout, parse: scanRecords}

// The numbers of the fields of tensorflow/core/example/example.proto and
// feature.proto.
const (
	exampleFeatures  = 1 // Example.features
	featuresFeature  = 1 // Features.feature, a map
	entryKey         = 1
	entryValue       = 2
	featureBytesList = 1 // Feature.bytes_list
	featureInt64List = 3 // Feature.int64_list
	listValue        = 1
)

// recordLayout puts the features in the order of their names, but the picture and
// the tensor last: so what stands before a picture tells which one it is.
type recordLayout struct {
	members []Member
	order   []Item
	labels  bool
	buffer  []byte
	sum     uint32 // of a record up to the end of its picture, where a tensor follows
}

func newRecordLayout(members []Member) (layout, error) {
	return &recordLayout{members: members, order: Items(members), labels: labelled(members)}, nil
}

func (l *recordLayout) blobs() []Item { return l.order }

func (l *recordLayout) before(i int) []byte {
	m := &l.members[l.order[i].Frame]
	if l.order[i].Tensor {
		return blobPrefix("image/tensor", m.TensorSize)
	}
	features, rest := l.features(m), m.Size
	if m.TensorSize > 0 {
		rest += len(blobPrefix("image/tensor", m.TensorSize)) + m.TensorSize
	}
	head := field(exampleFeatures, len(features)+rest)
	l.buffer = binary.LittleEndian.AppendUint64(l.buffer[:0], uint64(len(head)+len(features)+rest))
	l.buffer = binary.LittleEndian.AppendUint32(l.buffer, masked(crc32.Checksum(l.buffer, castagnoli)))
	l.buffer = append(l.buffer, head...)
	return append(l.buffer, features...)
}

func (l *recordLayout) after(i int, data []byte) []byte {
	b := &l.order[i]
	sum, before := l.sum, l.before(i)
	if !b.Tensor {
		sum, before = 0, before[recordHeader:]
	}
	sum = crc32.Update(crc32.Update(sum, castagnoli, before), castagnoli, data)
	if l.members[b.Frame].TensorSize > 0 && !b.Tensor {
		l.sum = sum
		return nil
	}
	return binary.LittleEndian.AppendUint32(nil, masked(sum))
}

func (l *recordLayout) lengths(i int) (before, after int) {
	if b := &l.order[i]; b.Tensor || l.members[b.Frame].TensorSize == 0 {
		after = crc32.Size
	}
	return len(l.before(i)), after
}

func (l *recordLayout) end() []byte { return nil }

// features encodes all features, up to the picture.
func (l *recordLayout) features(m *Member) []byte {
	var b []byte
	b = appendBytesFeature(b, "image/format", strings.ToLower(m.Format))
	b = appendIntFeature(b, "image/height", int64(m.Height))
	b = appendIntFeature(b, "image/image_timestamp", m.ImageMs)
	b = appendBytesFeature(b, "image/key", m.Key())
	if l.labels {
		b = appendBytesFeature(b, "image/labels", frame.LabelsJSON(m.Labels))
	}
	b = appendBytesFeature(b, "image/stream", m.Stream)
	b = appendIntFeature(b, "image/timestamp", m.SampleMs)
	b = appendIntFeature(b, "image/width", int64(m.Width))
	return append(b, blobPrefix("image/encoded", m.Size)...)
}

// blobPrefix is a feature up to its value, a blob.
func blobPrefix(name string, size int) []byte {
	value := field(listValue, size)
	list := append(field(featureBytesList, len(value)+size), value...)
	return entryPrefix(name, list, size)
}

func appendBytesFeature(b []byte, name, value string) []byte {
	list := append(field(listValue, len(value)), value...)
	return append(b, entryPrefix(name, append(field(featureBytesList, len(list)), list...), 0)...)
}

func appendIntFeature(b []byte, name string, value int64) []byte {
	varint := protowire.AppendVarint(nil, uint64(value))
	list := append(field(listValue, len(varint)), varint...)
	return append(b, entryPrefix(name, append(field(featureInt64List, len(list)), list...), 0)...)
}

// entryPrefix is an entry of the map of features, whose value is feature and as
// many bytes more as follow.
func entryPrefix(name string, feature []byte, more int) []byte {
	entry := append(field(entryKey, len(name)), name...)
	entry = append(entry, field(entryValue, len(feature)+more)...)
	entry = append(entry, feature...)
	return append(field(featuresFeature, len(entry)+more), entry...)
}

// field is the head of a field that holds bytes.
func field(number protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.BytesType), uint64(size))
}

// recordHeader is the length of a record's length and of the checksum of that.
const recordHeader = 8 + 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is how TFRecord stores a checksum: data with checksums inside would
// make for bad ones otherwise.
func masked(sum uint32) uint32 { return (sum>>15 | sum<<17) + 0xa282ead8 }
