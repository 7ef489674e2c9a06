package sealed

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// drawn are the receipts of any shards that follow each other.
func drawn(t *rapid.T, format container.Format) []*framepb.Receipt {
	series := door
	series.PhaseMs = rapid.Int32Range(0, 2999).Draw(t, "phase")
	if rapid.Bool().Draw(t, "without ARN") {
		series.StreamARN, series.StreamName = "", "_front.door"
	}
	first := rapid.Int64Range(0, 1<<40).Draw(t, "first")
	var receipts []*framepb.Receipt
	for range rapid.IntRange(1, 5).Draw(t, "shards") {
		outcome := rapid.SampledFrom([]string{"f", "f", "f", "n", "F", "G", "d"})
		outcomes := rapid.SliceOfN(outcome, 1, 30).Draw(t, "outcomes")
		span := frame.Span{Series: series, First: first, Samples: int64(len(outcomes))}
		shard := drawnShard(t, span, outcomes)
		r, err := ledger.NewReceipt(shard, format.Path(span))
		if err != nil {
			t.Fatal(err)
		}
		r.Transforms = rapid.SampledFrom([][]string{nil, {"resize 640x480", "tensors"}}).Draw(t, "transforms")
		receipts = append(receipts, r)
		first = span.End()
	}
	return receipts
}

func drawnShard(t *rapid.T, span frame.Span, outcomes []string) frame.Shard {
	shard := frame.Shard{Span: span}
	alike, labels := rapid.Bool().Draw(t, "alike"), rapid.Bool().Draw(t, "labels")
	format := rapid.SampledFrom([]string{frame.JPEG, frame.PNG}).Draw(t, "format")
	tensors := rapid.Bool().Draw(t, "tensors")
	for i, outcome := range outcomes {
		at := span.Series.At(span.First + int64(i))
		gap := frame.Gap{SampleMs: at, Reason: frame.Failed}
		switch outcome {
		case "f":
			f := frame.Frame{
				Stream: span.Series.StreamName, SampleMs: at, Format: format, Width: 640, Height: 480,
				ImageMs: at + rapid.Int64Range(-1<<31, 1<<31-1).Draw(t, "offset"),
				Data:    bytes.Repeat([]byte{byte(i)}, rapid.IntRange(1, 2000).Draw(t, "size")),
			}
			if !alike {
				f.Width, f.Height = rapid.Int32Min(0).Draw(t, "width"), rapid.Int32Min(0).Draw(t, "height")
			}
			if labels {
				f.Labels = rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, "labels of a frame")
			}
			if tensors {
				f.Tensor = make([]byte, 100)
			}
			shard.Frames = append(shard.Frames, f)
		case "n":
			shard.Gaps = append(shard.Gaps, frame.Gap{SampleMs: at, Reason: frame.NoMedia})
		case "F":
			gap.Cause = rapid.String().Draw(t, "cause")
			shard.Gaps = append(shard.Gaps, gap)
		case "G":
			shard.Gaps = append(shard.Gaps, gap)
		case "d":
			shard.Drops = append(shard.Drops, frame.Drop{SampleMs: at, Reason: "SAME"})
		}
	}
	return shard
}

// stripped is a receipt without what it says of each frame.
func stripped(r *framepb.Receipt) *framepb.Receipt {
	return &framepb.Receipt{
		Series: r.Series, First: r.First, Samples: r.Samples, Gaps: r.Gaps, Drops: r.Drops, Frames: r.Frames,
		Bytes: r.Bytes, Path: r.Path, Format: r.Format, Transforms: r.Transforms,
	}
}

// TestRoundTrip: whatever shards there are, their receipts are read as they were written.
func TestRoundTrip(t *testing.T) {
	for _, name := range container.Names() {
		format := container.All[name]
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				receipts := drawn(rt, format)
				data := written(t, format, receipts)
				f, file := opened(t, data)
				table, reads := f.Table(), file.reads
				got, err := f.Receipts()
				if err != nil {
					rt.Fatal(err)
				}
				if reads != 1 || file.reads != 2 {
					rt.Errorf("Open made %d reads, Receipts %d: each must make one", reads, file.reads-reads)
				}
				if len(got) != len(receipts) || len(table) != len(receipts) {
					rt.Fatalf("there are %d receipts, in the table %d, of %d", len(got), len(table), len(receipts))
				}
				for i := range receipts {
					if !proto.Equal(got[i], receipts[i]) {
						rt.Fatalf("receipt %d is\n%v\nit must be\n%v", i, got[i], receipts[i])
					}
					if !proto.Equal(table[i], stripped(receipts[i])) {
						rt.Fatalf("receipt %d is in the table\n%v\nit must be\n%v", i, table[i], stripped(receipts[i]))
					}
				}
				if err := f.Check(format); err != nil {
					rt.Fatal(err)
				}
				if !bytes.Equal(written(t, format, got), data) {
					rt.Error("what is written again has other bytes")
				}
				if Digest(got) != Digest(receipts) {
					rt.Error("the digest is another one")
				}
			})
		})
	}
}

// TestManyGaps: a table that is too long for the first read takes another one.
func TestManyGaps(t *testing.T) {
	receipts := receiptsOf(1)
	receipts[0].Gaps, receipts[0].Samples = nil, 10_000
	for i := range int32(4950) {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		receipts[0].Gaps = append(receipts[0].Gaps, &framepb.GapRun{
			Offset: 2 * i, Samples: 2, Reason: frame.Failed, Cause: fmt.Sprintf("request %x", sum[:20]),
		})
	}
	receipts[0].Path = webdataset.Path(receipts[0].Span())
	f, file := opened(t, written(t, webdataset, receipts))
	got, err := f.Receipts()
	if err != nil || len(got) != 1 || !proto.Equal(got[0], receipts[0]) || file.reads != 3 {
		t.Errorf("Receipts = %d receipts, %v, after %d reads", len(got), err, file.reads)
	}
	if err := f.Check(webdataset); err != nil {
		t.Error(err)
	}
}

// TestLabelsOfEachFrame: labels of which no two are alike are read, and those that are.
func TestLabelsOfEachFrame(t *testing.T) {
	receipts := receiptsOf(40)
	for i, r := range receipts {
		for n := range r.Frames {
			text := strings.Repeat(fmt.Sprint(i, n, " "), 100)
			r.Labels = append(r.Labels, &framepb.Labels{Values: map[string]string{"same": "yes", "boxes": text}})
		}
	}
	f, _ := opened(t, written(t, webdataset, receipts))
	got, err := f.Receipts()
	if err != nil {
		t.Fatal(err)
	}
	for i := range receipts {
		if !proto.Equal(got[i], receipts[i]) {
			t.Fatalf("receipt %d is another one", i)
		}
	}
	if err := f.Check(webdataset); err != nil {
		t.Error(err)
	}
}

// TestDigest: what the receipts say makes the name of a file. It never changes.
func TestDigest(t *testing.T) {
	receipts := small(t, webdataset)
	if got, want := Digest(receipts), "9f40fad441f6"; got != want {
		t.Errorf("Digest = %q, it must stay %q", got, want)
	}
	seen := map[string]string{Digest(receipts): "what was sealed"}
	for name, change := range map[string]func(r []*framepb.Receipt){
		"an ARN":          func(r []*framepb.Receipt) { r[0].Series.StreamArn = door.StreamARN },
		"the first":       func(r []*framepb.Receipt) { r[0].First++ },
		"a reason":        func(r []*framepb.Receipt) { r[0].Gaps[0].Reason = frame.Corrupt },
		"a cause":         func(r []*framepb.Receipt) { r[0].Gaps[0].Cause += "!" },
		"a drop":          func(r []*framepb.Receipt) { r[0].Drops[0].Reason += "!" },
		"a size":          func(r []*framepb.Receipt) { r[0].Sizes[0]++ },
		"a sum":           func(r []*framepb.Receipt) { r[0].Sha256[40]++ },
		"an offset":       func(r []*framepb.Receipt) { r[0].ImageOffsetsMs[1] = 40 },
		"a width":         func(r []*framepb.Receipt) { r[1].Widths[0]++ },
		"a height":        func(r []*framepb.Receipt) { r[1].Heights[0]++ },
		"a label":         func(r []*framepb.Receipt) { r[0].Labels[0].Values["age"] = "4" },
		"a label's name":  func(r []*framepb.Receipt) { r[0].Labels[1].Values = map[string]string{"": ""} },
		"a tensor's size": func(r []*framepb.Receipt) { r[1].TensorSizes[0]++ },
		"a tensor's sum":  func(r []*framepb.Receipt) { r[1].TensorSha256[0]++ },
		"a transform":     func(r []*framepb.Receipt) { r[2].Transforms = []string{"resize"} },
		"the format":      func(r []*framepb.Receipt) { r[1].Format = frame.PNG },
		"one fewer":       func(r []*framepb.Receipt) { r[2].Samples, r[2].Gaps[0].Samples = 1, 1 },
	} {
		changed := small(t, webdataset)
		change(changed)
		digest := Digest(changed)
		if other := seen[digest]; other != "" {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		seen[digest] = name
	}
}

// broken is a file of a bucket that stops to answer.
type broken struct {
	*counted
	after int
}

func (b *broken) ReadAt(p []byte, offset int64) (int, error) {
	if b.counted.reads == b.after {
		return 0, &store.Error{Op: "reading", URL: "s3://bucket/index", Err: errors.New("no route")}
	}
	return b.counted.ReadAt(p, offset)
}

// TestStoreErrors: that a bucket does not answer is no damage.
func TestStoreErrors(t *testing.T) {
	data := written(t, webdataset, small(t, webdataset))
	for after := range 3 {
		f, err := Open(&broken{&counted{Reader: bytes.NewReader(data)}, after})
		if err == nil {
			_, err = f.Receipts()
		}
		if err == nil {
			err = f.Check(webdataset)
		}
		var failed *store.Error
		if !errors.As(err, &failed) || errors.Is(err, ErrDamaged) {
			t.Errorf("after %d reads: %v", after, err)
		}
	}
}
