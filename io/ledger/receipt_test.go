package ledger

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// TestReceiptRoundTrip: a receipt tells of each sample what the shard said, and
// so does its file.
func TestReceiptRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shard := frame.Shard{Span: span(rapid.Int64Range(0, 1<<40).Draw(t, "first"),
			int64(rapid.IntRange(1, 40).Draw(t, "samples")))}
		sizes := rapid.Int32Range(1, rapid.SampledFrom([]int32{1, 1 << 20}).Draw(t, "largest"))
		format := rapid.SampledFrom([]string{frame.JPEG, frame.PNG}).Draw(t, "format")
		var want []Outcome
		for i := range shard.Span.Samples {
			index := shard.Span.First + i
			at := door.At(index)
			o := Outcome{Index: index, Kind: rapid.SampledFrom([]Kind{Frame, Frame, Gap, Drop}).Draw(t, "kind")}
			switch o.Kind {
			case Frame:
				data := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "data")
				sum := sha256.Sum256(data)
				o.Number, o.Size, o.SHA256 = len(shard.Frames), int32(len(data)), sum[:]
				o.OffsetMs = rapid.Int32().Draw(t, "offset")
				o.Width, o.Height = sizes.Draw(t, "width"), sizes.Draw(t, "height")
				shard.Frames = append(shard.Frames, frame.Frame{
					Stream: door.StreamName, SampleMs: at, ImageMs: at + int64(o.OffsetMs), Format: format,
					Width: o.Width, Height: o.Height, Data: data,
				})
			case Gap:
				o.Reason = rapid.SampledFrom(frame.GapReasons).Draw(t, "reason")
				o.Cause = rapid.SampledFrom([]string{"", "cause", "<&>\n\"é"}).Draw(t, "cause")
				shard.Gaps = append(shard.Gaps, frame.Gap{SampleMs: at, Reason: o.Reason, Cause: o.Cause})
				o.Cause = outside.Text(o.Cause)
			case Drop:
				o.Reason = rapid.SampledFrom([]string{"SAME", "DARK"}).Draw(t, "reason")
				shard.Drops = append(shard.Drops, frame.Drop{SampleMs: at, Reason: o.Reason})
			}
			want = append(want, o)
		}
		receipt, err := NewReceipt(shard, "shards/x")
		if err != nil {
			t.Fatal(err)
		}
		entry := Entry{Span: shard.Span, Failed: Failed(receipt)}
		if err := check(receipt, entry); err != nil {
			t.Fatal(err)
		}
		data, err := framepb.EncodeJSON(receipt)
		if err != nil {
			t.Fatal(err)
		}
		read := new(framepb.Receipt)
		if err := framepb.DecodeJSON(data, read); err != nil || !proto.Equal(read, receipt) {
			t.Fatalf("%s reads as %v, %v", data, read, err)
		}
		for got := range Outcomes(read) {
			if fmt.Sprint(got) != fmt.Sprint(want[0]) {
				t.Fatalf("sample is %v, want %v", got, want[0])
			}
			want = want[1:]
		}
		if len(want) > 0 {
			t.Fatalf("no outcome of %v", want)
		}
		if len(shard.Frames) > 0 && Format(read) != format || len(shard.Frames) == 0 && read.Path != "" {
			t.Fatalf("format %s, path %q", Format(read), read.Path)
		}
	})
}

func TestReceiptIsShort(t *testing.T) {
	receipt := receiptOf(t, 0, strings.Repeat("f", 50)+strings.Repeat("n", 30)+strings.Repeat("d", 20))
	if len(receipt.Gaps) != 1 || len(receipt.Drops) != 1 || len(receipt.Widths) != 1 || len(receipt.Heights) != 1 ||
		receipt.Format != "" {
		t.Errorf("gaps %d, drops %d, widths %d, heights %d, format %q, want one run, one entry, and no format",
			len(receipt.Gaps), len(receipt.Drops), len(receipt.Widths), len(receipt.Heights), receipt.Format)
	}
}

func TestReceiptOneSpelling(t *testing.T) {
	receipt := receiptOf(t, 0, "fndF")
	const want = `{"series":{"streamName":"front.door","imageSelectorType":"PRODUCER_TIMESTAMP","intervalMs":3000,"phaseMs":500,"format":"JPEG"},` +
		`"samples":4,"gaps":[{"offset":1,"samples":1,"reason":"NO_MEDIA"},{"offset":3,"samples":1,"reason":"FAILED","cause":"no route"}],` +
		`"drops":[{"offset":2,"samples":1,"reason":"SAME"}],"frames":1,"bytes":"14","path":"shards/here","sizes":[14],` +
		`"sha256":"O+T9lnmWqStS8ycWBKw7lekqPYyLnPtK7CWBpolXsEo=","imageOffsetsMs":[-1],"widths":[640],"heights":[480],"crc32c":"e5f8c28f"}` + "\n"
	got, err := framepb.EncodeJSON(receipt)
	if err != nil || string(got) != want {
		t.Errorf("the receipt is written %s, %v\nwant %s", got, err, want)
	}
}

func TestShardError(t *testing.T) {
	for name, spoil := range map[string]func(*frame.Shard){
		"no samples":         func(s *frame.Shard) { *s = frame.Shard{Span: span(0, 0)} },
		"huge":               func(s *frame.Shard) { s.Span.Samples = math.MaxInt64 },
		"interval":           func(s *frame.Shard) { s.Span.Series.IntervalMs = 0 },
		"before 1970":        func(s *frame.Shard) { s.Span.First = -7 },
		"one less":           func(s *frame.Shard) { s.Frames = s.Frames[1:] },
		"one more":           func(s *frame.Shard) { s.Gaps = append(s.Gaps, s.Gaps[0]) },
		"frame and gap":      func(s *frame.Shard) { s.Gaps[0].SampleMs = s.Frames[0].SampleMs },
		"twice":              func(s *frame.Shard) { s.Frames[1].SampleMs = s.Frames[0].SampleMs },
		"out of order":       func(s *frame.Shard) { s.Frames[0], s.Frames[1] = s.Frames[1], s.Frames[0] },
		"off the grid":       func(s *frame.Shard) { s.Frames[0].SampleMs++ },
		"outside":            func(s *frame.Shard) { s.Drops[0].SampleMs += 300000 },
		"another stream":     func(s *frame.Shard) { s.Frames[0].Stream = "back" },
		"no format":          func(s *frame.Shard) { s.Frames[0].Format = "" },
		"two formats":        func(s *frame.Shard) { s.Frames[1].Format = frame.PNG },
		"no bytes":           func(s *frame.Shard) { s.Frames[1].Data = nil },
		"image too far":      func(s *frame.Shard) { s.Frames[1].ImageMs += 1 << 31 },
		"width":              func(s *frame.Shard) { s.Frames[1].Width = -1 },
		"too many samples":   func(s *frame.Shard) { *s = shardOf(7, strings.Repeat("n", MaxShardSamples+1)) },
		"unknown reason":     func(s *frame.Shard) { s.Gaps[0].Reason = "NO_METIA" },
		"gap without reason": func(s *frame.Shard) { s.Gaps[0].Reason = "" },
		"drop without":       func(s *frame.Shard) { s.Drops[0].Reason = "" },
	} {
		t.Run(name, func(t *testing.T) {
			shard := shardOf(7, "fnfdf")
			spoil(&shard)
			_, err := NewReceipt(shard, "x")
			var typed *ShardError
			if !errors.As(err, &typed) || typed.Span != shard.Span {
				t.Errorf("NewReceipt says %v, want a *ShardError", err)
			}
			if err != nil {
				t.Log(err)
			}
		})
	}
}

// TestCauseIsText: a service's words may be anything.
func TestCauseIsText(t *testing.T) {
	shard := shardOf(0, "F")
	shard.Gaps[0].Cause = "bad \xff byte"
	receipt, err := NewReceipt(shard, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := Open(t.TempDir()).Put(t.Context(), receipt); err != nil {
		t.Error(err)
	}
}

// FuzzReceipt: no file makes reading a receipt panic, and one that is taken for
// valid can be walked, and written again as it was.
func FuzzReceipt(f *testing.F) {
	for _, outcomes := range []string{"f", "fnfdFf", "nn", "dddd"} {
		data, err := framepb.EncodeJSON(receiptOf(f, 3, outcomes))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		object, err := framepb.CutChecksum(data)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(object) // which a fuzzer can change
	}
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		receipt := new(framepb.Receipt)
		if framepb.DecodeJSON(data, receipt) != nil && framepb.DecodeJSON(framepb.AppendChecksum(data), receipt) != nil {
			return
		}
		if check(receipt, Entry{Span: receipt.Span(), Failed: Failed(receipt)}) != nil {
			return
		}
		var samples, frames, size int64
		for outcome := range Outcomes(receipt) {
			samples++
			if outcome.Kind == Frame {
				frames++
				size += int64(outcome.Size)
			}
		}
		if samples > MaxShardSamples || samples != int64(receipt.Samples) || frames != int64(receipt.Frames) ||
			size != receipt.Bytes {
			t.Errorf("%d samples, %d frames, %d bytes of %v", samples, frames, size, receipt)
		}
		once, err := framepb.EncodeJSON(receipt)
		if err != nil {
			t.Fatal(err)
		}
		again := new(framepb.Receipt)
		if err := framepb.DecodeJSON(once, again); err != nil {
			t.Fatal(err)
		}
		if twice, err := framepb.EncodeJSON(again); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s is written again as %s, %v", once, twice, err)
		}
	})
}
