package ledger

import (
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// TestRemoveLoose: what another process writes while a receipt that was sealed is removed is not lost.
func TestRemoveLoose(t *testing.T) {
	l := Open(t.TempDir())
	older, newer := receiptOf(t, 0, "FF"), receiptOf(t, 0, "Fn")
	entry := Entry{Span: span(0, 2), Failed: true}
	for range 200 {
		if err := l.Put(t.Context(), older); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		both.Go(func() {
			if err := l.Put(t.Context(), newer); err != nil {
				t.Error(err)
			}
		})
		if _, err := l.RemoveLoose(t.Context(), []Entry{entry}, []*framepb.Receipt{older}); err != nil {
			t.Error(err)
		}
		both.Wait()
		if got, err := l.Read(t.Context(), entry); err != nil || !proto.Equal(got, newer) {
			t.Fatalf("Read = %v, %v, want what was written last", got, err)
		}
	}
	if left, err := l.RemoveLoose(t.Context(), []Entry{entry}, []*framepb.Receipt{older}); left != 1 || err != nil {
		t.Errorf("RemoveLoose of another receipt = %d, %v, want it to stay", left, err)
	}
	if left, err := l.RemoveLoose(t.Context(), []Entry{entry}, []*framepb.Receipt{newer}); left != 0 || err != nil {
		t.Errorf("RemoveLoose = %d, %v", left, err)
	}
}
