package ledger

import (
	"fmt"
	"testing"

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
