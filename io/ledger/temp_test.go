package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// TestDisagree: where two writers disagree on whether a shard failed, whatever
// step of the one the other comes between, the complete receipt is left alone.
func TestDisagree(t *testing.T) {
	undisturbed := Open(t.TempDir())
	put(t, undisturbed, 0, "ff")
	want := settled(t, undisturbed.dir)
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
			shardtest.EqualTrees(t, settled(t, l.dir), want, fmt.Sprintf("%s with %s at step %d", pair[0], pair[1], at))
		}
	}
}

// TestKill looks at what a kill, or an error, at each step of Put would leave,
// and puts the receipt again.
func TestKill(t *testing.T) {
	undisturbed := Open(t.TempDir())
	put(t, undisturbed, 0, "ff")
	want := settled(t, undisturbed.dir)
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
			err := l.Put(t.Context(), receiptOf(t, 0, "ff"))
			steps = max(steps, count)
			if err != nil {
				if left := leftovers(t, l.dir); len(left) > 0 {
					t.Errorf("before %q, error at step %d: in tmp is left %v", before, at, left)
				}
				killed := Open(kill)
				if got, err := killed.Ask(t.Context(), span(0, 2)); err != nil ||
					got != nil && before != "ff" && !proto.Equal(got, receiptOf(t, 0, "ff")) {
					t.Errorf("before %q, killed at step %d: Ask = %v, %v", before, at, got, err)
				}
				put(t, killed, 0, "ff")
				shardtest.EqualTrees(t, settled(t, kill), want, fmt.Sprintf("before %q, killed at step %d", before, at))
			}
			l.step = nil
			put(t, l, 0, "ff")
			shardtest.EqualTrees(t, settled(t, l.dir), want, fmt.Sprintf("before %q, error at step %d", before, at))
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
	if err := undisturbed.Request(t.Context(), span(0, 40), span(3, 4)); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			l := Open(dir)
			if err := l.Request(t.Context(), span(0, 40), span(3, 4)); err != nil {
				t.Error(err)
			}
			for _, receipt := range receipts {
				if err := l.Put(t.Context(), receipt); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	shardtest.EqualTrees(t, settled(t, dir), settled(t, undisturbed.dir), "8 writers")
}

func TestSweepAndTemp(t *testing.T) {
	l := Open(t.TempDir())
	if err := l.Sweep(t.Context(), 0); err != nil {
		t.Errorf("sweeping an empty ledger: %v", err)
	}
	dir := temp(t, l, span(0, 1))
	temp(t, l, span(0, 2))
	if err := os.WriteFile(filepath.Join(dir, "part"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := l.Sweep(t.Context(), sweepNothing); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "part")); err != nil {
		t.Errorf("a young file was swept: %v", err)
	}
	temp(t, l, span(0, 3))
	if err := l.Sweep(t.Context(), -sweepNothing); err != nil {
		t.Fatal(err)
	}
	if left := shardtest.Tree(t, l.dir); len(left) > 0 {
		t.Errorf("Sweep left %v", left)
	}
	put(t, l, 0, "f")
	want := settled(t, l.dir)
	temp(t, l, span(0, 1))
	if err := l.Sweep(t.Context(), sweepNothing); err != nil {
		t.Fatal(err)
	}
	shardtest.EqualTrees(t, shardtest.Tree(t, l.dir), want, "a complete shard's leftover")
}

// TestTempFails: what could not be made whole does not stay.
func TestTempFails(t *testing.T) {
	l := Open(t.TempDir())
	_, err := l.Temp(span(0, 1), func(path string) error {
		return errors.Join(os.Mkdir(path, 0o777), os.WriteFile(filepath.Join(path, "part"), nil, 0o666), syscall.ENOSPC)
	})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the error is %v", err)
	}
	if left := settled(t, l.dir); len(left) > 0 {
		t.Errorf("left is %v", left)
	}
}

// TestLongNames: what a stream of the longest name, and a span of the longest,
// are called in tmp fits into a file system's names, and is known again.
func TestLongNames(t *testing.T) {
	l, series := Open(t.TempDir()), door
	series.StreamName = strings.Repeat("door.", 51) + "s"
	long := frame.Span{Series: series, Samples: 1 << 60}
	if err := l.Request(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	receipt := receiptOf(t, 0, "n")
	receipt.Series = framepb.SeriesOf(series)
	if err := l.Put(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	want := settled(t, l.dir)
	path := temp(t, l, long)
	if err := errors.Join(os.Rename(path, path+".old"), os.Remove(path+".old")); err != nil {
		t.Fatal(err)
	}
	path = temp(t, l, receipt.Span())
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	temp(t, l, receipt.Span())
	if err := l.Sweep(t.Context(), sweepNothing); err != nil {
		t.Fatal(err)
	}
	shardtest.EqualTrees(t, shardtest.Tree(t, l.dir), want, "a complete shard's leftovers")
}

// temp leaves a folder as a killed writer does.
func temp(t *testing.T, l *Ledger, span frame.Span) string {
	t.Helper()
	dir, err := l.Temp(span, func(path string) error { return os.Mkdir(path, 0o777) })
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

const sweepNothing = 1 << 40

// TestClearsOnlyItsOwn: completing a shard removes what killed writers left of
// it, and nothing of the shard beside it.
func TestClearsOnlyItsOwn(t *testing.T) {
	l := Open(t.TempDir())
	mine, other := temp(t, l, span(0, 10)), temp(t, l, span(0, 100))
	put(t, l, 0, "ffffffffff")
	if _, err := os.Stat(mine); err == nil {
		t.Error("the leftover is still there")
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("another shard's folder is gone: %v", err)
	}
}

// TestSweepLeavesOthers: what somebody keeps in tmp stays, however old it is, and
// so does all that is behind a link.
func TestSweepLeavesOthers(t *testing.T) {
	l, elsewhere := Open(t.TempDir()), t.TempDir()
	put(t, l, 0, "ff")
	ours := filepath.Base(temp(t, l, span(0, 1)))
	for _, name := range []string{
		"notes", "photo.jpg", "a.b.c", "index.parquet", strings.ToLower(ours), strings.TrimSuffix(ours, ours[len(ours)-1:]),
		"photos." + ours[strings.LastIndex(ours, ".")+1:], "x." + strings.SplitN(ours, ".", 2)[1],
	} {
		for _, dir := range []string{filepath.Join(l.dir, "tmp"), elsewhere} {
			if err := errors.Join(os.Mkdir(filepath.Join(dir, name), 0o777),
				os.WriteFile(filepath.Join(dir, name, "x"), nil, 0o666)); err != nil {
				t.Fatal(err)
			}
		}
	}
	link := temp(t, l, span(0, 2)) // behind which nothing goes
	want := shardtest.Tree(t, l.dir)
	if err := errors.Join(os.Remove(link), os.Symlink(elsewhere, link)); err != nil {
		t.Fatal(err)
	}
	behind := shardtest.Tree(t, elsewhere)
	delete(want, "tmp/"+ours+"/")
	delete(want, "tmp/"+filepath.Base(link)+"/")
	if err := l.Sweep(t.Context(), -sweepNothing); err != nil {
		t.Fatal(err)
	}
	put(t, l, 0, "ff")
	shardtest.EqualTrees(t, shardtest.Tree(t, l.dir), want, "tmp")
	shardtest.EqualTrees(t, shardtest.Tree(t, elsewhere), behind, "behind a link in tmp")

	for _, name := range []string{ours, ours + ".old"} {
		if err := os.Mkdir(filepath.Join(elsewhere, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	want = shardtest.Tree(t, elsewhere)
	if err := errors.Join(os.RemoveAll(filepath.Join(l.dir, "tmp")),
		os.Symlink(elsewhere, filepath.Join(l.dir, "tmp"))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Sweep(t.Context(), -sweepNothing), l.clear(span(0, 1))); err != nil {
		t.Fatal(err)
	}
	shardtest.EqualTrees(t, shardtest.Tree(t, elsewhere), want, "behind tmp")
	if _, err := os.Lstat(filepath.Join(l.dir, "tmp")); err != nil {
		t.Errorf("the link is gone: %v", err)
	}
}

// TestRemoveLeavesLinks: no file behind a link is removed, whatever its name; a
// link in a file's place is, alone.
func TestRemoveLeavesLinks(t *testing.T) {
	for _, linked := range []string{"ledger", "ledger/" + door.ID()} {
		l, elsewhere := Open(t.TempDir()), filepath.Join(t.TempDir(), "elsewhere")
		put(t, l, 0, "ff")
		path := filepath.Join(l.dir, linked)
		if err := errors.Join(os.Rename(path, elsewhere), os.Symlink(elsewhere, path)); err != nil {
			t.Fatal(err)
		}
		want := shardtest.Tree(t, elsewhere)
		if err := l.Remove(t.Context(), span(0, 2)); err == nil || !strings.Contains(err.Error(), "behind a link") {
			t.Errorf("%s: Remove = %v", linked, err)
		}
		shardtest.EqualTrees(t, shardtest.Tree(t, elsewhere), want, linked)
		if receipt, err := l.Ask(t.Context(), span(0, 2)); receipt == nil {
			t.Errorf("%s: Ask = %v", linked, err)
		}
	}
	l, elsewhere := Open(t.TempDir()), filepath.Join(t.TempDir(), "elsewhere")
	put(t, l, 0, "ff")
	path := filepath.Join(l.dir, Entry{Span: span(0, 2)}.Path())
	if err := errors.Join(os.Rename(path, elsewhere), os.Symlink(elsewhere, path),
		l.Remove(t.Context(), span(0, 2))); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(elsewhere); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the link is there")
	}
}
