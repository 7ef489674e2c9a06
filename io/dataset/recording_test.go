package dataset

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// TestRecordingHolds: shards that wait for the disk are few, and not large.
func TestRecordingHolds(t *testing.T) {
	for _, test := range []struct{ bytes, most int64 }{
		{0, 4}, {recordingBytes / 4, 4}, {recordingBytes / 2, 2}, {recordingBytes, 1}, {100 * recordingBytes, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, done := newRecording(), make(chan bool)
			var now atomic.Int64
			record := func() (*framepb.Receipt, error) {
				now.Add(1)
				<-done
				now.Add(-1)
				return nil, nil
			}
			go func() {
				for range 10 {
					if err := r.add(t.Context(), test.bytes, record); err != nil {
						t.Error(err)
					}
				}
			}()
			for i := range int64(10) {
				if synctest.Wait(); now.Load() != min(test.most, 10-i) {
					t.Errorf("%d shards of %d bytes wait, want %d", now.Load(), test.bytes, min(test.most, 10-i))
				}
				done <- true
			}
			if err := r.wait(); err != nil || now.Load() != 0 {
				t.Errorf("%v, and %d wait", err, now.Load())
			}
		})
	}
}

// TestBundleRecords: when a bundle has ended without an error, what came out of it is recorded;
// a shard that could not be fails it.
func TestBundleRecords(t *testing.T) {
	for _, fails := range []string{"", "flush", "place", "record"} {
		dir := create(t)
		fn := &writeFn{Dir: dir}
		if err := fn.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("broken")
		var reached atomic.Int64
		fn.writer.step = func(step string) error {
			if step == fails && reached.Add(1) == 3 {
				return broken
			}
			return nil
		}
		var out []*framepb.Receipt
		receipts, blocks := func(r *framepb.Receipt) { out = append(out, r) }, func(string, *framepb.Request) {}
		fn.StartBundle(t.Context(), receipts, blocks)
		var err error
		for i := range int64(20) {
			if err = fn.ProcessElement(t.Context(), shardOf(door, 4*i, "fnff"), receipts, blocks); err != nil {
				break
			}
		}
		if err == nil {
			err = fn.FinishBundle(t.Context(), receipts, blocks)
		}
		if fails != "" {
			if !errors.Is(err, broken) || !strings.Contains(err.Error(), "writing the shard of front.door") {
				t.Errorf("%s: %v", fails, err)
			}
			wantNoLeftovers(t, dir, fails)
			continue
		}
		if err != nil || len(out) != 20 {
			t.Fatalf("%d receipts, %v", len(out), err)
		}
		for _, receipt := range out {
			if have, err := fn.writer.of.ledger.Ask(t.Context(), receipt.Span()); err != nil || have == nil {
				t.Errorf("%v is not recorded: %v", receipt.Span(), err)
			}
		}
	}
}
