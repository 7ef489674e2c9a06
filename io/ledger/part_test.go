package ledger

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
)

// told is what a part tells: a letter a sample, by index, as shardOf has them.
func told(part Part) (map[int64]string, error) {
	letters := make(map[int64]string)
	for o := range part.Outcomes() {
		switch {
		case o.Kind == Frame:
			letters[o.Index] = "f"
		case o.Kind == Drop:
			letters[o.Index] = "d"
		case o.Reason == frame.Failed:
			letters[o.Index] = "F"
		default:
			letters[o.Index] = "n"
		}
	}
	return letters, nil
}

// TestParts holds Parts against looking for one sample after the other.
func TestParts(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		l := Open(filepath.Join(dir, rapid.StringMatching(`[a-z0-9]{16}`).Draw(rt, "dir")))
		defer os.RemoveAll(l.dir)
		shards, entries := draw(t, rt, l)
		next, samples := int64(0), 0
		for letters, err := range Parts(t.Context(), l, told) {
			if err != nil {
				rt.Fatal(err)
			}
			for ; len(letters) > 0; next++ {
				letter, ok := letters[next]
				at := slices.IndexFunc(entries, func(e Entry) bool { return e.Span.First <= next && next < e.Span.End() })
				switch {
				case next >= 100:
					rt.Fatalf("the samples %v are not in time order, or twice", letters)
				case at < 0 && ok:
					rt.Fatalf("sample %d is in no receipt", next)
				case at >= 0 && letter != shards[entries[at]][next-entries[at].Span.First:][:1]:
					rt.Fatalf("sample %d is %q in %v", next, letter, entries[at])
				}
				if ok {
					samples++
				}
				delete(letters, next)
			}
		}
		var recorded []frame.Span
		for _, e := range entries {
			recorded = append(recorded, e.Span)
		}
		if want := frame.Count(frame.Union(recorded)); int64(samples) != want {
			rt.Fatalf("%d samples of %d", samples, want)
		}
	})
}

// TestPartsEnd: a damaged receipt is also one that do calls so; any other error is
// the last; and when Parts ends, early too, no call is under way.
func TestPartsEnd(t *testing.T) {
	l := Open(t.TempDir())
	for i := range int64(200) {
		put(t, l, 2*i, "fn")
	}
	put(t, l, 7, "dd")
	var underWay atomic.Int64
	parts := func(fail func(first int64) error, yield func(first int64, err error) bool) {
		t.Helper()
		for first, err := range Parts(t.Context(), l, func(part Part) (int64, error) {
			underWay.Add(1)
			defer underWay.Add(-1)
			return part.Span.First, fail(part.Receipt.First)
		}) {
			if !yield(first, err) {
				break
			}
		}
		if n := underWay.Load(); n != 0 {
			t.Errorf("%d calls are under way", n)
		}
	}

	var got []int64
	parts(func(first int64) error {
		if first == 8 {
			return &DamagedError{Err: errors.New("says the test")}
		}
		return nil
	}, func(first int64, err error) bool {
		got = append(got, first)
		return err == nil
	})
	if len(got) != 200 || !slices.IsSorted(got) || got[4] != 8 || got[5] != 10 {
		t.Errorf("%d parts: %v", len(got), got)
	}

	calls, boom := 0, errors.New("boom")
	parts(func(first int64) error {
		if first == 20 {
			return boom
		}
		return nil
	}, func(_ int64, err error) bool {
		calls++
		if err != nil && (!errors.Is(err, boom) || calls != 12) {
			t.Errorf("call %d: %v", calls, err)
		}
		return true
	})
	if calls != 12 {
		t.Errorf("%d calls, want the 12th to be the last", calls)
	}
	parts(func(int64) error { return nil }, func(int64, error) bool { return false })
}

// TestPartsOf: the parts of a span are those of all, as far as it reaches.
func TestPartsOf(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		l := Open(filepath.Join(dir, rapid.StringMatching(`[a-z0-9]{16}`).Draw(rt, "dir")))
		defer os.RemoveAll(l.dir)
		draw(t, rt, l)
		asked := span(rapid.Int64Range(0, 100).Draw(rt, "first"), rapid.Int64Range(1, 100).Draw(rt, "samples"))
		want, got := make(map[int64]string), make(map[int64]string)
		for letters, err := range Parts(t.Context(), l, told) {
			if err != nil {
				rt.Fatal(err)
			}
			maps.Copy(want, letters)
		}
		maps.DeleteFunc(want, func(i int64, _ string) bool { return i < asked.First || i >= asked.End() })
		for letters, err := range PartsOf(t.Context(), l, asked, told) {
			if err != nil {
				rt.Fatal(err)
			}
			maps.Copy(got, letters)
		}
		if !maps.Equal(got, want) {
			rt.Fatalf("%v has %v, want %v", asked, got, want)
		}
	})
}
