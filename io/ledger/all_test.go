package ledger

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// TestAllBut: sealed receipts that are to be skipped are as the footer has them, and all others
// whole, in the order of All.
func TestAllBut(t *testing.T) {
	l := Open(t.TempDir())
	var want []*framepb.Receipt
	for i := range int64(6) {
		want = append(want, put(t, l, 4*i, "fnfd"))
	}
	entries, err := have(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	seal(t, l, entries[0], entries[1])
	seal(t, l, entries[3], entries[4], entries[5])
	for _, i := range []int{0, 1, 3, 4, 5} {
		if err := l.store.Remove(t.Context(), entries[i].Path()); err != nil {
			t.Fatal(err)
		}
	}
	skip := func(shard frame.Span) bool { return shard.First%8 == 0 }
	i := 0
	for recorded, err := range l.AllBut(t.Context(), skip) {
		if err != nil || i == len(want) {
			t.Fatalf("after %d receipts: %v, %v", i, recorded.Entry, err)
		}
		if skip(want[i].Span()) && recorded.Entry.Sealed != "" {
			want[i] = (&fake{want[i : i+1]}).Table()[0]
		}
		if !proto.Equal(recorded.Receipt, want[i]) || recorded.Entry.Span != want[i].Span() {
			t.Errorf("receipt %d is %v of %v, want %v", i, recorded.Receipt, recorded.Entry, want[i])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("there are %d receipts, want %d", i, len(want))
	}
}
