package ledger

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

var door = frame.Series{
	StreamName: "front.door", ImageSelectorType: "PRODUCER_TIMESTAMP", IntervalMs: 3000, PhaseMs: 500, Format: frame.JPEG,
}

func span(first, samples int64) frame.Span {
	return frame.Span{Series: door, First: first, Samples: samples}
}

// shardOf makes a shard with one sample a letter: f a frame, n and F gaps
// (NO_MEDIA, FAILED), d a drop.
func shardOf(first int64, outcomes string) frame.Shard {
	shard := frame.Shard{Span: span(first, int64(len(outcomes)))}
	for i, c := range outcomes {
		at := door.At(first + int64(i))
		switch c {
		case 'f':
			shard.Frames = append(shard.Frames, frame.Frame{
				Stream: door.StreamName, SampleMs: at, ImageMs: at + int64(i%3) - 1, Format: frame.JPEG,
				Width: 640, Height: 480, Data: fmt.Appendf(nil, "picture at %d", at),
			})
		case 'n':
			shard.Gaps = append(shard.Gaps, frame.Gap{SampleMs: at, Reason: frame.NoMedia})
		case 'F':
			shard.Gaps = append(shard.Gaps, frame.Gap{SampleMs: at, Reason: frame.Failed, Cause: "no route"})
		case 'd':
			shard.Drops = append(shard.Drops, frame.Drop{SampleMs: at, Reason: "SAME"})
		}
	}
	return shard
}

func receiptOf(t testing.TB, first int64, outcomes string) *framepb.Receipt {
	t.Helper()
	receipt, err := NewReceipt(shardOf(first, outcomes), "shards/here")
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func put(t testing.TB, l *Ledger, first int64, outcomes string) *framepb.Receipt {
	t.Helper()
	receipt := receiptOf(t, first, outcomes)
	if err := l.Put(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	return receipt
}

// settled is [shardtest.Tree] once all writers are done: they have left nothing in tmp, and
// Sweep removes it.
func settled(t testing.TB, dir string) map[string]string {
	t.Helper()
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("in tmp is left %v", left)
	}
	if err := Open(dir).Sweep(t.Context(), sweepNothing); err != nil {
		t.Error(err)
	}
	return shardtest.Tree(t, dir)
}

func leftovers(t testing.TB, dir string) []string {
	t.Helper()
	left, err := store.Folder(dir).Under(t.Context(), "tmp")
	if err != nil {
		t.Error(err)
	}
	return left
}

// have is the receipts of door, one a shard.
func have(ctx context.Context, l *Ledger) (entries []Entry, err error) {
	shards, _, err := l.Shards(ctx, door, nil)
	for _, shard := range onePerShard(shards) {
		entries = append(entries, shard.Entry)
	}
	return entries, err
}

func init() { RegisterSealed(openFake, fakeDigest) }

// fake is a file of sealed receipts, one message after the other.
type fake struct{ receipts []*framepb.Receipt }

func openFake(file store.File) (SealedFile, error) {
	f := new(fake)
	for in := bufio.NewReader(file); ; {
		receipt := new(framepb.Receipt)
		err := protodelim.UnmarshalFrom(in, receipt)
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return nil, err
		}
		f.receipts = append(f.receipts, receipt)
	}
}

func (f *fake) Receipts() ([]*framepb.Receipt, error) { return f.receipts, nil }

func (f *fake) Table() (table []*framepb.Receipt) {
	for _, receipt := range f.receipts {
		table = append(table, &framepb.Receipt{
			Series: receipt.Series, First: receipt.First, Samples: receipt.Samples, Gaps: receipt.Gaps, Drops: receipt.Drops,
			Frames: receipt.Frames, Bytes: receipt.Bytes, Path: receipt.Path, Format: receipt.Format,
		})
	}
	return table
}

func fakeDigest(receipts []*framepb.Receipt) string {
	sum := sha256.Sum256(fakeData(receipts))
	return hex.EncodeToString(sum[:6])
}

func fakeData(receipts []*framepb.Receipt) []byte {
	var data bytes.Buffer
	for _, receipt := range receipts {
		protodelim.MarshalTo(&data, receipt)
	}
	return data.Bytes()
}

// seal writes the file of sealed receipts that are loose, and leaves those.
func seal(t *testing.T, l *Ledger, loose ...Entry) Entry {
	t.Helper()
	var receipts []*framepb.Receipt
	whole := loose[0].Span
	for _, entry := range loose {
		receipt, err := l.Read(t.Context(), entry)
		if err != nil {
			t.Fatal(err)
		}
		receipts = append(receipts, receipt)
		whole = whole.Slice(whole.First, entry.Span.End())
	}
	file := SealedEntry(whole, loose[0].Failed, fakeDigest(receipts))
	path := filepath.Join(l.dir, file.Path())
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, fakeData(receipts), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}
