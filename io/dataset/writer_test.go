package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

func TestLayout(t *testing.T) {
	dir := create(t)
	pngs := door
	pngs.Format = frame.PNG
	write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "nn"), shardOf(door, 6, "Ff"), shardOf(pngs, 0, "f"))
	id, pngID := door.ID(), pngs.ID()
	want := []string{
		"dataset.json",
		"ledger/",
		"ledger/" + id + "/",
		"ledger/" + id + "/20260101T000000000Z-4.json",
		"ledger/" + id + "/20260101T000012000Z-2.json",
		"ledger/" + id + "/20260101T000018000Z-2.failed.json",
		"ledger/" + pngID + "/",
		"ledger/" + pngID + "/20260101T000000000Z-1.json",
		"requests/",
		"requests/" + id + "/",
		"requests/" + id + "/20260101T000000000Z-8.json",
		"requests/" + pngID + "/",
		"requests/" + pngID + "/20260101T000000000Z-1.json",
		"shards/",
		"shards/" + id + "/",
		"shards/" + id + "/20260101T000000000Z-4/",
		"shards/" + id + "/20260101T000000000Z-4/front~door_20260101T000000000Z.jpg",
		"shards/" + id + "/20260101T000000000Z-4/front~door_20260101T000006000Z.jpg",
		"shards/" + id + "/20260101T000018000Z-2/",
		"shards/" + id + "/20260101T000018000Z-2/front~door_20260101T000021000Z.jpg",
		"shards/" + pngID + "/",
		"shards/" + pngID + "/20260101T000000000Z-1/",
		"shards/" + pngID + "/20260101T000000000Z-1/front~door_20260101T000000000Z.png",
	}
	slices.Sort(want)
	files := settled(t, dir)
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, want) {
		t.Errorf("the dataset holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := files["dataset.json"]; got != `{"version":3,"format":"files","shardSamples":100,"crc32c":"6e92f37c"}`+"\n" {
		t.Errorf("dataset.json is %s", got)
	}
	f := shardOf(door, 0, "fnfd").Frames[1]
	if files["shards/"+id+"/20260101T000000000Z-4/front~door_20260101T000006000Z.jpg"] != string(f.Data) {
		t.Error("the picture is not the frame's")
	}
}

// befores are what may stand in a dataset where the shard "ffnd" is written.
var befores = map[string]func(*testing.T, string){
	"nothing":        func(*testing.T, string) {},
	"the same":       func(t *testing.T, dir string) { write(t, dir, shardOf(door, 0, "ffnd")) },
	"other pictures": func(t *testing.T, dir string) { write(t, dir, shardOf(door, 0, "ggnd")) },
	"more pictures":  func(t *testing.T, dir string) { write(t, dir, shardOf(door, 0, "ffff")) },
	"no pictures":    func(t *testing.T, dir string) { write(t, dir, shardOf(door, 0, "nnnn")) },
	"a failed one":   func(t *testing.T, dir string) { write(t, dir, shardOf(door, 0, "fFnd")) },
	"all failed":     func(t *testing.T, dir string) { write(t, dir, shardOf(door, 0, "FFFF")) },
	"other files of its": func(t *testing.T, dir string) {
		foldertest.Stray(t, dir, damagedShard+"/front~door_20260101T000009000Z.npy")
	},
	"a damaged receipt": func(t *testing.T, dir string) {
		write(t, dir, shardOf(door, 0, "ggnd"))
		damage(t, dir, "ledger/"+door.ID()+"/20260101T000000000Z-4.json")
	},
	"a damaged picture": func(t *testing.T, dir string) {
		write(t, dir, shardOf(door, 0, "ffnd"))
		damage(t, dir, "shards/"+door.ID()+"/20260101T000000000Z-4/front~door_20260101T000000000Z.jpg")
	},
}

func damage(t testing.TB, dir, name string) {
	t.Helper()
	if err := os.Truncate(filepath.Join(dir, name), 20); err != nil {
		t.Fatal(err)
	}
}

// TestKill looks at what a kill, or an error, at each step of a write would
// leave: a dataset without that shard or with all of it, and the same bytes as
// an undisturbed one once the shard is written again.
func TestKill(t *testing.T) {
	t.Parallel()
	for _, outcomes := range []string{"ffnd", "nnnd"} {
		for name, before := range befores {
			t.Run(outcomes+" over "+name, func(t *testing.T) { testKill(t, outcomes, before) })
		}
	}
}

func testKill(t *testing.T, outcomes string, before func(*testing.T, string)) {
	shard := shardOf(door, 0, outcomes)
	undisturbed := create(t)
	write(t, undisturbed, shard)
	want := settled(t, undisturbed)
	steps := 0
	for at := 0; at <= steps; at++ {
		dir, kill := create(t), filepath.Join(t.TempDir(), "killed")
		before(t, dir)
		if err := ledger.Open(dir).Request(t.Context(), shard.Span); err != nil {
			t.Fatal(err)
		}
		w, count := writer(t, dir), 0
		w.step = func(string) error {
			if count++; count-1 != at {
				return nil
			}
			if err := os.CopyFS(kill, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			return syscall.ENOSPC
		}
		_, err := w.Write(context.Background(), shard)
		steps = max(steps, count)
		if err != nil {
			when := fmt.Sprintf("step %d", at)
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s: the error is %v", when, err)
			}
			wantNoLeftovers(t, dir, when)
			checkRecorded(t, kill, when)
			write(t, kill, shard)
			equalTrees(t, settled(t, kill), want, "killed at "+when)
		}
		write(t, dir, shard)
		equalTrees(t, settled(t, dir), want, fmt.Sprintf("error at step %d", at))
	}
	if len(shard.Frames) > 0 && steps < 2 {
		t.Errorf("only %d steps were tried", steps)
	}
}

// checkRecorded: what has a receipt is whole, but for pictures damaged before, and
// there are no pictures where it says so.
func checkRecorded(t *testing.T, dir, when string) {
	t.Helper()
	report, err := opened(t, dir).Verify(context.Background(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range report.Problems {
		if strings.Contains(problem, "the frame of") && !strings.Contains(problem, "20 bytes") ||
			strings.Contains(problem, "has no frames") {
			t.Errorf("killed at %s: %s", when, problem)
		}
	}
}

// TestTwoWriters has another writer write the same shard between any two steps
// of a first one.
func TestTwoWriters(t *testing.T) {
	t.Parallel()
	for name, before := range befores {
		t.Run("over "+name, func(t *testing.T) {
			shard := shardOf(door, 0, "ffnd")
			undisturbed := create(t)
			write(t, undisturbed, shard)
			want := settled(t, undisturbed)
			steps := 0
			for at := 0; at <= steps; at++ {
				dir := create(t)
				before(t, dir)
				if err := ledger.Open(dir).Request(t.Context(), shard.Span); err != nil {
					t.Fatal(err)
				}
				w, count := writer(t, dir), 0
				w.step = func(string) error {
					if count++; count-1 == at {
						write(t, dir, shard)
					}
					return nil
				}
				if _, err := w.Write(context.Background(), shard); err != nil {
					t.Errorf("the other one at step %d: %v", at, err)
				}
				steps = max(steps, count)
				equalTrees(t, settled(t, dir), want, fmt.Sprintf("the other one at step %d", at))
			}
		})
	}
}

// TestManyWriters has many writers write the same shards at once.
func TestManyWriters(t *testing.T) {
	var shards []frame.Shard
	for i := range int64(8) {
		shards = append(shards, shardOf(door, 4*i, "fnff"))
	}
	undisturbed, dir := create(t), create(t)
	write(t, undisturbed, shards...)
	for _, shard := range shards {
		if err := ledger.Open(dir).Request(t.Context(), shard.Span); err != nil {
			t.Fatal(err)
		}
	}
	var writers sync.WaitGroup
	for range 2 {
		w := writer(t, dir)
		for _, shard := range shards {
			writers.Go(func() {
				if _, err := w.Write(context.Background(), shard); err != nil {
					t.Error(err)
				}
			})
		}
	}
	writers.Wait()
	equalTrees(t, settled(t, dir), settled(t, undisturbed), "2 writers of each shard")
}

// TestFailedKeepsComplete: a shard that cannot be fetched again stays as it is.
func TestFailedKeepsComplete(t *testing.T) {
	dir := create(t)
	write(t, dir, shardOf(door, 0, "ffnd"))
	want := settled(t, dir)
	receipt, err := writer(t, dir).Write(context.Background(), shardOf(door, 0, "FFFF"))
	if err != nil || receipt.Frames != 2 {
		t.Errorf("Write = %v, %v, want the receipt of what is there", receipt, err)
	}
	equalTrees(t, settled(t, dir), want, "a failed shard over a complete one")
}

func TestNoShard(t *testing.T) {
	dir := create(t)
	want := tree(t, dir)
	shard := shardOf(door, 0, "ffnd")
	shard.Frames = shard.Frames[1:]
	_, err := writer(t, dir).Write(context.Background(), shard)
	var typed *ledger.ShardError
	if !errors.As(err, &typed) {
		t.Errorf("the error is %v, want a *ShardError", err)
	} else if n := strings.Count(err.Error(), "shard of"); n != 1 {
		t.Errorf("the shard is named %d times: %v", n, err)
	}
	equalTrees(t, settled(t, dir), want, "a shard that is none")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := writer(t, dir).Write(ctx, shardOf(door, 0, "f")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestDiskErrors puts a file where a folder should be, which no user may pass.
func TestDiskErrors(t *testing.T) {
	for _, path := range []string{"shards", "ledger", "tmp", "shards/" + door.ID(), "ledger/" + door.ID()} {
		t.Run(path, func(t *testing.T) {
			dir := create(t)
			foldertest.Stray(t, dir, path)
			want := tree(t, dir)
			w, err := opened(t, dir).NewWriter()
			if err == nil {
				_, err = w.Write(context.Background(), shardOf(door, 0, "ffnd"))
			}
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, filepath.Dir(path))) {
				t.Errorf("the error is %v, want one that names the path", err)
			}
			got := tree(t, dir)
			for name := range got {
				if strings.HasPrefix(name, "tmp") && want[name] == "" && name != "tmp/" {
					t.Errorf("%s is left over", name)
				}
			}
			if receipt, err := ledger.Open(dir).Ask(t.Context(), shardOf(door, 0, "ffnd").Span); receipt != nil {
				t.Errorf("there is a receipt (%v)", err)
			}
		})
	}
}

// fullDisk is a format whose second file does not fit.
type fullDisk struct{ container.Folder }

func (fullDisk) Write(shard frame.Shard, create func(string) (io.WriteCloser, error)) error {
	n := 0
	return container.Folder{}.Write(shard, func(name string) (io.WriteCloser, error) {
		if n++; n == 2 {
			return nil, &os.PathError{Op: "write", Path: name, Err: syscall.ENOSPC}
		}
		return create(name)
	})
}

func TestDiskFull(t *testing.T) {
	dir := create(t)
	want := tree(t, dir)
	w := writer(t, dir)
	w.of.format = fullDisk{}
	if _, err := w.Write(context.Background(), shardOf(door, 0, "ffnd")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the error is %v", err)
	}
	equalTrees(t, settled(t, dir), want, "a full disk")
}

// oneFile is a format of the other kind: one file a shard.
type oneFile struct{ container.Folder }

func (oneFile) Path(span frame.Span) string { return container.Folder{}.Path(span) + ".bin" }

func (oneFile) Write(shard frame.Shard, create func(string) (io.WriteCloser, error)) error {
	file, err := create("")
	if err != nil {
		return err
	}
	for _, f := range shard.Frames {
		if _, err := file.Write(f.Data); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return file.Close()
}

func (oneFile) Read(receipt *framepb.Receipt, open func(string) (store.File, error)) iter.Seq2[container.Blob, error] {
	return func(yield func(container.Blob, error) bool) {
		file, err := open("")
		if err == nil {
			defer file.Close()
		}
		for i, size := range receipt.Sizes {
			data := make([]byte, size)
			if err == nil {
				_, err = io.ReadFull(file, data)
			}
			if !yield(container.Blob{Frame: i, Data: data}, err) {
				return
			}
		}
	}
}

// TestOneFileAShard: the walls hold for a format that is not a folder a shard.
func TestOneFileAShard(t *testing.T) {
	container.All["one"] = oneFile{}
	defer delete(container.All, "one")
	dir := t.TempDir()
	if _, err := Create(t.Context(), dir, Options{Format: "one"}); err != nil {
		t.Fatal(err)
	}
	write(t, dir, shardOf(door, 0, "fgnd"), shardOf(door, 4, "fff"), shardOf(door, 0, "fgnd"), shardOf(door, 4, "gg"+"n"))
	report, err := opened(t, dir).Verify(context.Background(), VerifyOptions{})
	if err != nil || !report.Complete || report.Frames != 4 || len(report.Problems) > 0 {
		t.Fatalf("Verify = %+v, %v", report, err)
	}
	damage(t, dir, "shards/"+door.ID()+"/20260101T000000000Z-4.bin")
	if err := os.Remove(filepath.Join(dir, "shards/"+door.ID()+"/20260101T000012000Z-3.bin")); err != nil {
		t.Fatal(err)
	}
	report, err = opened(t, dir).Verify(context.Background(), VerifyOptions{})
	if err != nil || report.Complete || report.Corrupt != 2 || report.Missing != 2 {
		t.Fatalf("Verify of damage = %+v, %v", report, err)
	}
}
