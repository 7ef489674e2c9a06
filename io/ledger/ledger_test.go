package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/store"
)

func TestPutAskRemove(t *testing.T) {
	l := Open(t.TempDir())
	if got, err := l.Ask(t.Context(), span(100, 4)); got != nil || err != nil {
		t.Fatalf("an empty ledger answers %v, %v", got, err)
	}
	want := put(t, l, 100, "ffnd")
	got, err := l.Ask(t.Context(), span(100, 4))
	if err != nil || !proto.Equal(got, want) {
		t.Fatalf("Ask = %v, %v, want %v", got, err, want)
	}
	for _, other := range []frame.Span{
		span(100, 3), span(101, 4),
		{Series: frame.Series{StreamName: "x", IntervalMs: 3000}, First: 100, Samples: 4},
	} {
		if got, err := l.Ask(t.Context(), other); got != nil || err != nil {
			t.Errorf("Ask(%v) = %v, %v, want none", other, got, err)
		}
	}
	if err := l.Remove(t.Context(), span(100, 4)); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Ask(t.Context(), span(100, 4)); got != nil || err != nil {
		t.Errorf("after Remove Ask = %v, %v", got, err)
	}
	if err := l.Remove(t.Context(), span(100, 4)); err != nil {
		t.Errorf("removing what is not there: %v", err)
	}
}

// TestFailed: a failed receipt is not the end of its shard, a complete one is,
// in whatever order they are put.
func TestFailed(t *testing.T) {
	l := Open(t.TempDir())
	failed := put(t, l, 0, "fF")
	if got, err := l.Ask(t.Context(), span(0, 2)); got != nil || err != nil {
		t.Fatalf("Ask of a failed shard = %v, %v, want none", got, err)
	}
	entry := Entry{Span: span(0, 2), Failed: true}
	if got, err := have(t.Context(), l); err != nil || !slices.Equal(got, []Entry{entry}) {
		t.Fatalf("Have = %v, %v", got, err)
	}
	if got, err := l.Read(t.Context(), entry); err != nil || !proto.Equal(got, failed) {
		t.Fatalf("Read = %v, %v", got, err)
	}
	complete := put(t, l, 0, "ff")
	want := settled(t, l.dir)
	put(t, l, 0, "fF")
	shardtest.EqualTrees(t, settled(t, l.dir), want, "a failed receipt after a complete one")
	if got, err := l.Ask(t.Context(), span(0, 2)); err != nil || !proto.Equal(got, complete) {
		t.Fatalf("Ask = %v, %v", got, err)
	}
	if len(want) != 3 {
		t.Errorf("the ledger holds %v, want the complete receipt alone", want)
	}
}

// TestBothReceipts: what a failed shard's slow writer may leave.
func TestBothReceipts(t *testing.T) {
	l := Open(t.TempDir())
	put(t, l, 0, "ff")
	failed := receiptOf(t, 0, "fF")
	if err := l.write(t.Context(), failed.Span(), Entry{Span: failed.Span(), Failed: true}.Path(), failed); err != nil {
		t.Fatal(err)
	}
	if got, err := have(t.Context(), l); err != nil || !slices.Equal(got, []Entry{{Span: span(0, 2)}}) {
		t.Errorf("Have = %v, %v, want the complete one", got, err)
	}
}

// replaced is a store in which something happens before a file is opened for the first time.
type replaced struct {
	store.Store
	first func()
}

func (r *replaced) Open(ctx context.Context, path string) (store.File, error) {
	if first := r.first; first != nil {
		r.first = nil
		first()
	}
	return r.Store.Open(ctx, path)
}

// TestRemoveWhileSealed: a shard is forgotten though its file of sealed receipts is replaced by
// another one between the list and the look at it.
func TestRemoveWhileSealed(t *testing.T) {
	l := Open(t.TempDir())
	for i := range int64(3) {
		put(t, l, 4*i, "fnfd")
	}
	entries, err := have(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	before, after := seal(t, l, entries[:2]...), seal(t, l, entries...)
	path := func(file Entry) string { return filepath.Join(l.dir, file.Path()) }
	aside := filepath.Join(t.TempDir(), "aside")
	if err := os.Rename(path(after), aside); err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := l.store.Remove(t.Context(), entry.Path()); err != nil {
			t.Fatal(err)
		}
	}
	l.store = &replaced{l.store, func() {
		if err := errors.Join(os.Rename(aside, path(after)), os.Remove(path(before))); err != nil {
			t.Error(err)
		}
	}}
	if err := l.Remove(t.Context(), entries[1].Span); err != nil {
		t.Error(err)
	}
	for i, entry := range entries {
		if got, err := l.Ask(t.Context(), entry.Span); err != nil || (got == nil) != (i == 1) {
			t.Errorf("shard %d: Ask = %v, %v", i, got, err)
		}
	}
}
