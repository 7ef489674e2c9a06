package store

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// TestGathered: whatever an object is written in, it reads as what was written.
func TestGathered(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var want []byte
		var got *io.SectionReader
		g := &gathered{send: func(content *io.SectionReader) error { got = content; return nil }}
		for _, part := range rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 20)).Draw(t, "parts") {
			want = append(want, part...)
			if rapid.Bool().Draw(t, "lent") {
				if err := Lend(g, part); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if n, err := g.Write(part); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
			clear(part) // it belongs to who wrote it
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(got, want); err != nil {
			t.Fatal(err)
		}
		at := rapid.Int64Range(0, int64(len(want))).Draw(t, "at")
		if rest, err := io.ReadAll(io.NewSectionReader(got, at, int64(len(want)))); err != nil ||
			!bytes.Equal(rest, want[at:]) {
			t.Fatalf("from %d on: %q, %v", at, rest, err)
		}
	})
}
