package ledger

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

var door = framepb.Series{
	StreamName: "front.door", ImageSelectorType: "PRODUCER_TIMESTAMP", IntervalMs: 3000, PhaseMs: 500, Format: framepb.JPEG,
}

func span(first, samples int64) framepb.Span {
	return framepb.Span{Series: door, First: first, Samples: samples}
}

// shardOf makes a shard with one sample a letter: f a frame, n and F gaps
// (NO_MEDIA, FAILED), d a drop.
func shardOf(first int64, outcomes string) framepb.Shard {
	shard := framepb.Shard{Span: span(first, int64(len(outcomes)))}
	for i, c := range outcomes {
		at := door.At(first + int64(i))
		switch c {
		case 'f':
			shard.Frames = append(shard.Frames, framepb.Frame{
				Stream: door.StreamName, SampleMs: at, ImageMs: at + int64(i%3) - 1, Format: framepb.JPEG,
				Width: 640, Height: 480, Data: fmt.Appendf(nil, "picture at %d", at),
			})
		case 'n':
			shard.Gaps = append(shard.Gaps, framepb.Gap{SampleMs: at, Reason: framepb.NoMedia})
		case 'F':
			shard.Gaps = append(shard.Gaps, framepb.Gap{SampleMs: at, Reason: framepb.Failed, Cause: "no route"})
		case 'd':
			shard.Drops = append(shard.Drops, framepb.Drop{SampleMs: at, Reason: "SAME"})
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
	if err := l.Put(receipt); err != nil {
		t.Fatal(err)
	}
	return receipt
}

// tree maps every path below dir to its content; folders end in a slash.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			files[name+"/"] = ""
			return nil
		}
		data, err := os.ReadFile(path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// settled is tree once all writers are done: they have left nothing in tmp, and
// Sweep removes it.
func settled(t testing.TB, dir string) map[string]string {
	t.Helper()
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("in tmp is left %v", left)
	}
	if err := Open(dir).Sweep(sweepNothing); err != nil {
		t.Error(err)
	}
	return tree(t, dir)
}

func leftovers(t testing.TB, dir string) []string {
	t.Helper()
	left, err := store.Folder(dir).Under(t.Context(), "tmp")
	if err != nil {
		t.Error(err)
	}
	return left
}

func equalTrees(t testing.TB, got, want map[string]string, when string) {
	t.Helper()
	for name, data := range want {
		if have, ok := got[name]; !ok || have != data {
			t.Errorf("%s: %s is there: %v, same: %v", when, name, ok, have == data)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is left over", when, name)
		}
	}
}
