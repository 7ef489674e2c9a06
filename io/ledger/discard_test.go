package ledger

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDiscard(t *testing.T) {
	l := Open(t.TempDir())
	put(t, l, 0, "ffff")
	put(t, l, 4, "ffff")
	put(t, l, 8, "fFff")
	put(t, l, 12, "ffff")
	for _, entry := range []Entry{{Span: span(4, 4)}, {Span: span(8, 4), Failed: true}, {Span: span(12, 4)}} {
		if err := os.Truncate(filepath.Join(l.dir, entry.Path()), 30); err != nil {
			t.Fatal(err)
		}
	}
	if n, _, err := l.Discard(t.Context(), span(0, 6), span(9, 1)); n != 2 || err != nil {
		t.Fatalf("%d discarded, %v, want 2", n, err)
	}
	entries, err := have(t.Context(), l)
	if err != nil || len(entries) != 2 || entries[0].Span != span(0, 4) || entries[1].Span != span(12, 4) {
		t.Errorf("left are %v, %v", entries, err)
	}
	if n, _, err := l.Discard(t.Context(), span(0, 12)); n != 0 || err != nil {
		t.Errorf("%d discarded again, %v", n, err)
	}
}
