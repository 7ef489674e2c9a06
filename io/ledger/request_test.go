package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

func TestRequests(t *testing.T) {
	l := Open(t.TempDir())
	if got, err := l.Requests(t.Context()); got != nil || err != nil {
		t.Fatalf("Requests of an empty ledger = %v, %v", got, err)
	}
	other := frame.Span{
		Series: frame.Series{StreamName: "a", IntervalMs: 7, Format: frame.PNG}, First: 3,
		Samples: 1 << 40,
	}
	want := []frame.Span{other, span(5, 10), span(20, 100), span(140, 2)}
	if err := l.Request(t.Context(), want[3], want[1], want[2], want[0], want[1]); err != nil {
		t.Fatal(err)
	}
	got, err := l.Requests(t.Context())
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("Requests = %v, %v, want %v", got, err, want)
	}
	if series, err := l.Series(t.Context()); err != nil || !slices.Equal(series, []frame.Series{other.Series, door}) {
		t.Errorf("Series = %v, %v", series, err)
	}
	for _, bad := range []frame.Span{span(0, 0), span(-1, 1), {Samples: 1}, span(1<<62, 1<<62)} {
		if err := l.Request(t.Context(), bad); err == nil {
			t.Errorf("Request(%v) is taken", bad)
		}
	}
	path := filepath.Join(l.dir, RequestPath(want[1]))
	whole, _ := os.ReadFile(path)
	for i := range whole {
		if err := os.WriteFile(path, whole[:i], 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := l.Requests(t.Context())
		var damaged *DamagedError
		if !errors.As(err, &damaged) || len(got) != 3 {
			t.Fatalf("cut at byte %d: Requests = %d spans, %v", i, len(got), err)
		}
	}
	if err := os.Rename(filepath.Join(l.dir, RequestPath(want[2])), path); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Requests(t.Context()); err == nil || len(got) != 2 {
		t.Errorf("a request under another's name: %d spans, %v", len(got), err)
	}
}

// TestRequestNames: what a damaged request asked for is told by what is left of it, its
// content or its name, and by nothing that no request can be.
func TestRequestNames(t *testing.T) {
	content := func(span frame.Span) []byte {
		data, err := framepb.EncodeJSON(&framepb.Request{
			Series: framepb.SeriesOf(span.Series), First: span.First,
			Samples: span.Samples,
		})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, test := range map[string]struct {
		file string
		data []byte
		want frame.Span
	}{
		"damaged":            {RequestPath(span(5, 10)), []byte("{"), span(5, 10)},
		"under another name": {RequestPath(span(5, 10)), content(span(6, 7)), span(6, 7)},
		"off the grid":       {"requests/" + door.ID() + "/20260101T000001000Z-64.json", []byte("{"), frame.Span{}},
		"before the epoch":   {"requests/" + door.ID() + "/00260101T000000500Z-64.json", []byte("{"), frame.Span{}},
		"beyond numbers": {
			"requests/" + door.ID() + "/20260101T000000500Z-9223372036854775807.json", []byte("{"),
			frame.Span{},
		},
		"around the epoch": {RequestPath(span(1<<61+5, 10)), content(span(1<<61+5, 10)), span(5, 10)},
	} {
		t.Run(name, func(t *testing.T) {
			l := Open(t.TempDir())
			if err := l.Request(t.Context(), span(0, 1)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(l.dir, test.file), test.data, 0o666); err != nil {
				t.Fatal(err)
			}
			got, err := l.Requests(t.Context())
			var damaged *DamagedError
			if !slices.Equal(got, []frame.Span{span(0, 1)}) || !errors.As(err, &damaged) || damaged.Path != test.file ||
				damaged.Entry.Span != test.want {
				t.Errorf("Requests = %v, %v, of %v", got, err, damaged.Entry)
			}
			if strays, err := l.Strays(t.Context()); len(strays) > 0 || err != nil {
				t.Errorf("Strays = %v, %v", strays, err)
			}
		})
	}
}
