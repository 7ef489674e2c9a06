package ledger

import "testing"

// TestNoPlace: whatever is asked of a ledger in a place that cannot be, there is an error.
func TestNoPlace(t *testing.T) {
	for _, name := range []string{
		"az://bucket/p", "s3:bucket", "mem://", "mem://x/y?a=b", "file://host/a",
		"s3://driver/p",
	} {
		l := Open(name)
		if _, err := l.Ask(t.Context(), span(0, 1)); err == nil {
			t.Errorf("%q: Ask gives no error", name)
		}
		if err := l.Put(t.Context(), receiptOf(t, 0, "f")); err == nil {
			t.Errorf("%q: Put gives no error", name)
		}
		if _, err := have(t.Context(), l); err == nil {
			t.Errorf("%q: Have gives no error", name)
		}
	}
}
