package sealed

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
)

var webdataset = container.All["webdataset"]

// door is a series of a picture every 3 seconds.
var door = frame.Series{
	StreamARN:         "arn:aws:kinesisvideo:eu-central-1:123456789012:stream/front-door/1700000000000",
	StreamName:        "front-door",
	ImageSelectorType: "PRODUCER_TIMESTAMP", IntervalMs: 3000, Format: frame.JPEG, JPEGQuality: 80,
}

// doorFirst is the sample of door at 2026-01-01T00:00:00Z.
const doorFirst = 1767225600000 / 3000

// receiptsOf are count receipts of 100 frames each: JPEGs of 640×480 pixels and about
// 20 kB, a few ms away from their samples.
func receiptsOf(count int) []*framepb.Receipt {
	random := rand.New(rand.NewPCG(1, 2))
	receipts := make([]*framepb.Receipt, count)
	for i := range receipts {
		r := &framepb.Receipt{
			Series: framepb.SeriesOf(door), First: doorFirst + int64(100*i), Samples: 100, Frames: 100,
			Widths: []int32{640}, Heights: []int32{480},
		}
		for range 100 {
			size := int32(20_000 + random.NormFloat64()*4_000)
			r.Sizes, r.Bytes = append(r.Sizes, size), r.Bytes+int64(size)
			r.ImageOffsetsMs = append(r.ImageOffsetsMs, int32(random.IntN(11)-5))
			sum := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, random.Uint64()))
			r.Sha256 = append(r.Sha256, sum[:]...)
		}
		r.Path = webdataset.Path(r.Span())
		receipts[i] = r
	}
	return receipts
}

// written is a file of receipts.
func written(t testing.TB, format container.Format, receipts []*framepb.Receipt) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := Write(&file, format, receipts); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// opened opens a file, and counts what is read of it.
func opened(t testing.TB, data []byte) (*File, *counted) {
	t.Helper()
	file := &counted{Reader: bytes.NewReader(data)}
	f, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return f, file
}

// counted is a file in memory that counts reads.
type counted struct {
	*bytes.Reader
	io.Closer
	reads int
}

func (c *counted) ReadAt(p []byte, offset int64) (int, error) {
	c.reads++
	return c.Reader.ReadAt(p, offset)
}
