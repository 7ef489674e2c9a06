package ledger

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
)

// TestWithdraw: what is left on record, file for file, is what would be if only the rest had
// been asked for.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	dirs := t.TempDir()
	spans := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) frame.Span {
		return span(rapid.Int64Range(0, 40).Draw(rt, "first"), rapid.Int64Range(1, 15).Draw(rt, "samples"))
	}), 1, 6)
	rapid.Check(t, func(rt *rapid.T) {
		asked, gone := spans.Draw(rt, "asked"), spans.Draw(rt, "gone")
		names := func(change func(l *Ledger) error) map[string]string {
			dir, err := os.MkdirTemp(dirs, "")
			if err != nil {
				rt.Fatal(err)
			}
			defer os.RemoveAll(dir)
			if err := change(Open(dir)); err != nil {
				rt.Fatal(err)
			}
			files := settled(t, dir)
			maps.DeleteFunc(files, func(name, _ string) bool { return filepath.Ext(name) == "" })
			return files
		}
		ctx := rt.Context()
		got := names(func(l *Ledger) error {
			for _, span := range asked {
				if err := l.Request(ctx, span); err != nil {
					return err
				}
			}
			return l.Withdraw(ctx, append(slices.Clone(gone), span(1000, 1))...)
		})
		want := names(func(l *Ledger) error {
			return l.Request(ctx, frame.Minus(frame.Union(asked), frame.Union(gone))...)
		})
		if !maps.Equal(got, want) {
			rt.Fatalf("on record are %v, want %v", got, want)
		}
	})
}

// TestWithdrawKilled: a kill withdraws nothing but what was to be withdrawn, and to withdraw it
// again ends it.
func TestWithdrawKilled(t *testing.T) {
	for kill := 0; ; kill++ {
		dir := t.TempDir()
		l := Open(dir)
		if err := l.Request(t.Context(), span(0, 10), span(20, 10)); err != nil {
			t.Fatal(err)
		}
		steps := 0
		l.step = func(string) error {
			if steps++; steps > kill {
				return errKilled
			}
			return nil
		}
		err := l.Withdraw(t.Context(), span(5, 20))
		l.step = nil
		have, problem := l.Requests(t.Context())
		want := []frame.Span{span(0, 5), span(25, 5)}
		if problem != nil || len(frame.Minus(want, frame.Union(have))) > 0 {
			t.Errorf("killed before step %d: on record are %v, %v", kill, have, problem)
		}
		if err := l.Withdraw(t.Context(), span(5, 20)); err != nil {
			t.Fatal(err)
		}
		if have, err := l.Requests(t.Context()); err != nil || !slices.Equal(have, want) {
			t.Errorf("killed before step %d, and withdrawn: on record are %v, %v", kill, have, err)
		}
		if err == nil {
			if kill < 4 {
				t.Errorf("it was killed %d times only", kill)
			}
			return
		}
	}
}
