package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestBytesPerSample: the books of a sample take at most 60 bytes.
func TestBytesPerSample(t *testing.T) {
	const samples = 20_000
	if n := len(written(t, webdataset, receiptsOf(samples/100))); n > 60*samples {
		t.Errorf("%d samples take %d bytes", samples, n)
	}
}

// small are receipts of what shards may have: frames with labels and without, tensors, gaps
// with causes and without, drops.
func small(t testing.TB, format container.Format) []*framepb.Receipt {
	t.Helper()
	var receipts []*framepb.Receipt
	for i, shard := range []struct {
		outcomes string
		labels   map[string]string
		tensors  bool
	}{{"fFdnf", map[string]string{"class": `dog "Rex"`, "age": "3"}, false}, {"ff", nil, true}, {"nn", nil, false}} {
		s := shardtest.Shard(shardtest.Door, int64([]int{0, 5, 7}[i]), shard.outcomes)
		for n := range s.Frames {
			s.Frames[n].Data = bytes.Repeat([]byte{byte(n)}, 100+n)
		}
		if shard.labels != nil {
			s.Frames[0].Labels = shard.labels
		}
		if shard.tensors {
			s = shardtest.WithTensors(s)
		}
		receipt, err := ledger.NewReceipt(s, format.Path(s.Span))
		if err != nil {
			t.Fatal(err)
		}
		receipts = append(receipts, receipt)
	}
	return receipts
}

// TestRows: people find in the columns what the receipts say.
func TestRows(t *testing.T) {
	data := written(t, webdataset, small(t, webdataset))
	rows, err := parquet.Read[row](bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		if r.Stream != "front.door" || r.StreamARN != "" || r.Series != shardtest.Door.ID() ||
			r.Key != frame.Key(r.Stream, r.SampleTime) {
			t.Errorf("a row is of %q, %q, %q, %q", r.Key, r.Stream, r.StreamARN, r.Series)
		}
		got = append(got, strings.TrimSpace(fmt.Sprintln(r.SampleTime/1000%60, r.Kind, r.Outcome, told(r.ImageTime),
			told(r.File), told(r.Offset), told(r.Size), told(r.SHA256), told(r.Format), told(r.Width), told(r.Height),
			told(r.Labels), told(r.TensorFile), told(r.TensorOffset), told(r.TensorSize), told(r.TensorSHA256),
			told(r.Cause))))
	}
	want := []string{
		`0 frame FRAME 9960 …-5.tar 512 100 cd00e292c5 JPEG 16 9 {"age":"3","class":"dog \"Rex\""} - - - - -`,
		`3 gap FAILED - - - - - - - - - - - - - no route`,
		`6 drop SAME - - - - - - - - - - - - - -`,
		`9 gap NO_MEDIA - - - - - - - - - - - - - -`,
		`12 frame FRAME 1960 …-5.tar 2560 101 df5e7ef8b4 JPEG 16 9 - - - - - -`,
		`15 frame FRAME 4960 …-2.tar 512 100 cd00e292c5 JPEG 16 9 - …-2.tar 1536 560 e6c3795a3c -`,
		`18 frame FRAME 7960 …-2.tar 4096 101 df5e7ef8b4 JPEG 16 9 - …-2.tar 5120 560 6fcfc47fc8 -`,
		`21 gap NO_MEDIA - - - - - - - - - - - - - -`,
		`24 gap NO_MEDIA - - - - - - - - - - - - - -`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the rows are\n%s\nthey must be\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// told is a value of a column, as short as tells it from others; - where it is null.
func told[T any](value *T) string {
	if value == nil {
		return "-"
	}
	text := fmt.Sprint(*value)
	switch {
	case strings.HasPrefix(text, "shards/"):
		return "…" + text[strings.LastIndex(text, "-"):]
	case len(text) == 64:
		return text[:10]
	case len(text) == 13:
		return text[9:]
	}
	return text
}

// TestWriteRefuses: what is no row of consecutive receipts is not written.
func TestWriteRefuses(t *testing.T) {
	three := func() []*framepb.Receipt { return receiptsOf(3) }
	for want, receipts := range map[string][]*framepb.Receipt{
		"there are no receipts": nil,
		"is not of the samples": append(three()[:1], three()[2]),
		"200100 samples":        receiptsOf(2001),
		"its run of 1 samples": func() []*framepb.Receipt {
			r := three()
			r[1].Gaps = []*framepb.GapRun{{Offset: 100, Samples: 1, Reason: "NO_MEDIA"}}
			return r
		}(),
		"its path is": func() []*framepb.Receipt {
			r := three()
			r[1].Path = "../outside"
			return r
		}(),
	} {
		err := Write(new(bytes.Buffer), webdataset, receipts)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Write: %v, must contain %q", err, want)
		}
	}
	other := three()
	other[2].Series.JpegQuality++
	if err := Write(new(bytes.Buffer), webdataset, other); err == nil {
		t.Error("receipts of two series were written")
	}
}

// full is a disk that takes some bytes more.
type full struct{ room int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestWriteErrors: an error of the file is that of Write, wherever it comes.
func TestWriteErrors(t *testing.T) {
	receipts := small(t, webdataset)
	size := len(written(t, webdataset, receipts))
	for room := 0; room < size; room += size/50 + 1 {
		if err := Write(&full{room}, webdataset, receipts); !errors.Is(err, errFull) {
			t.Fatalf("Write with room for %d bytes: %v", room, err)
		}
	}
}
