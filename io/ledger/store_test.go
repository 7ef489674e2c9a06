package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// TestDisagree: where two writers disagree on whether a shard failed, whatever
// step of the one the other comes between, the complete receipt is left alone.
func TestDisagree(t *testing.T) {
	undisturbed := Open(t.TempDir())
	put(t, undisturbed, 0, "ff")
	want := tree(t, undisturbed.dir)
	for _, pair := range [][2]string{{"ff", "fF"}, {"fF", "ff"}} {
		steps := 1
		for at := 0; at < steps; at++ {
			l, count := Open(t.TempDir()), 0
			l.step = func(string) error {
				if count++; count-1 == at {
					put(t, Open(l.dir), 0, pair[1])
				}
				return nil
			}
			put(t, l, 0, pair[0])
			steps = max(steps, count)
			if count <= at {
				break // there is no such step without the other one
			}
			equalTrees(t, tree(t, l.dir), want, fmt.Sprintf("%s with %s at step %d", pair[0], pair[1], at))
		}
	}
}

// TestKill looks at what a kill, or an error, at each step of Put would leave,
// and puts the receipt again.
func TestKill(t *testing.T) {
	undisturbed := Open(t.TempDir())
	put(t, undisturbed, 0, "ff")
	want := tree(t, undisturbed.dir)
	for _, before := range []string{"", "fF", "ff"} {
		steps := 0
		for at := 0; at <= steps; at++ {
			l := Open(t.TempDir())
			if before != "" {
				put(t, l, 0, before)
			}
			kill := filepath.Join(t.TempDir(), "killed")
			count := 0
			l.step = func(string) error {
				if count++; count-1 == at {
					if err := os.CopyFS(kill, os.DirFS(l.dir)); err != nil {
						t.Fatal(err)
					}
					return errors.New("no space left")
				}
				return nil
			}
			err := l.Put(receiptOf(t, 0, "ff"))
			steps = max(steps, count)
			if err != nil {
				if _, err := os.Stat(filepath.Join(l.dir, "tmp")); err == nil {
					t.Errorf("before %q, error at step %d: tmp is left", before, at)
				}
				killed := Open(kill)
				if got, err := killed.Ask(span(0, 2)); err != nil || got != nil && before != "ff" && !proto.Equal(got, receiptOf(t, 0, "ff")) {
					t.Errorf("before %q, killed at step %d: Ask = %v, %v", before, at, got, err)
				}
				put(t, killed, 0, "ff")
				equalTrees(t, tree(t, kill), want, fmt.Sprintf("before %q, killed at step %d", before, at))
			}
			l.step = nil
			put(t, l, 0, "ff")
			equalTrees(t, tree(t, l.dir), want, fmt.Sprintf("before %q, error at step %d", before, at))
		}
		if steps < 3 {
			t.Errorf("%d steps were tried", steps)
		}
	}
}

// TestManyWriters has many writers put the same receipts and requests at once.
func TestManyWriters(t *testing.T) {
	undisturbed, dir := Open(t.TempDir()), t.TempDir()
	var receipts []*framepb.Receipt
	for i := range int64(10) {
		receipts = append(receipts, put(t, undisturbed, i*4, "ffnf"))
	}
	if err := undisturbed.Request(span(0, 40), span(3, 4)); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			l := Open(dir)
			if err := l.Request(span(0, 40), span(3, 4)); err != nil {
				t.Error(err)
			}
			for _, receipt := range receipts {
				if err := l.Put(receipt); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	equalTrees(t, tree(t, dir), tree(t, undisturbed.dir), "8 writers")
}

func TestSweepAndTemp(t *testing.T) {
	l := Open(t.TempDir())
	if err := l.Sweep(0); err != nil {
		t.Errorf("sweeping an empty ledger: %v", err)
	}
	dir, discard, err := l.Temp(span(0, 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Temp(span(0, 2)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "part"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := l.Sweep(sweepNothing); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "part")); err != nil {
		t.Errorf("a young file was swept: %v", err)
	}
	discard()
	if _, err := os.Stat(dir); err == nil {
		t.Error("discard left the folder")
	}
	if err := os.WriteFile(filepath.Join(l.dir, "tmp", "stray"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := l.Sweep(-sweepNothing); err != nil {
		t.Fatal(err)
	}
	if left := tree(t, l.dir); len(left) > 0 {
		t.Errorf("Sweep left %v", left)
	}
	put(t, l, 0, "f")
	want := tree(t, l.dir)
	if _, _, err := l.Temp(span(0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := l.Sweep(sweepNothing); err != nil {
		t.Fatal(err)
	}
	equalTrees(t, tree(t, l.dir), want, "a complete shard's leftover")
}

const sweepNothing = 1 << 40

// TestClearsOnlyItsOwn: completing a shard removes what killed writers left of
// it, and nothing of the shard beside it.
func TestClearsOnlyItsOwn(t *testing.T) {
	l := Open(t.TempDir())
	mine, _, err := l.Temp(span(0, 10))
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := l.Temp(span(0, 100))
	if err != nil {
		t.Fatal(err)
	}
	put(t, l, 0, "ffffffffff")
	if _, err := os.Stat(mine); err == nil {
		t.Error("the leftover is still there")
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("another shard's folder is gone: %v", err)
	}
}
