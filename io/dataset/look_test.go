package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// lookOf makes a second look at a shard: a dot is a sample that was not asked for.
func lookOf(outcomes string) frame.Shard {
	look := shardOf(door, 0, outcomes)
	for i, c := range outcomes {
		if first := look.Span.First + int64(i); c != '.' {
			look.Again = append(look.Again, look.Span.Slice(first, first+1))
		}
	}
	look.Again = frame.Union(look.Again)
	return look
}

// looks are what there is of a shard, a second look at it, and the shard that comes of it.
var looks = []struct{ have, look, want string }{
	{"fnnf", ".fn.", "ffnf"},
	{"fFFd", ".fF.", "ffFd"},
	{"fFFd", ".nn.", "fnnd"},
	{"FFFF", "ffdn", "ffdn"},
	{"fnnf", ".nn.", "fnnf"},
	// TestKillSecondLook takes those above.
	{"fnnf", ".ff.", "ffff"},
	{"nffn", "f..f", "ffff"},
	{"fFFd", ".ff.", "fffd"},
	{"fFnd", ".Ff.", "fFfd"},
	{"fnnd", ".dd.", "fddd"},
	{"fnfn", ".F.f", "fnff"},
	{"nnnn", "fnnn", "fnnn"},
	{"ffff", ".nF.", "ffff"}, // another look was first
	{"fFFf", ".FF.", "fFFf"},
	{"FFFF", "FFFF", "FFFF"},
	{"nnnn", "nnnn", "nnnn"},
	{"ffff", "f..f", "ffff"},
}

// TestSecondLook: what comes of a second look is the same as what is fetched afresh, in
// every format, and in folders and buckets.
func TestSecondLook(t *testing.T) {
	t.Parallel()
	labels := func(shard frame.Shard) frame.Shard {
		for i := range shard.Frames {
			shard.Frames[i].Labels = map[string]string{"at": shard.Frames[i].Key()}
		}
		return shard
	}
	for _, format := range Formats() {
		for _, kind := range []string{"folder", "mem", "s3"} {
			for name, with := range map[string]func(frame.Shard) frame.Shard{
				"": func(s frame.Shard) frame.Shard { return s }, "tensors": withTensors, "labels": labels,
			} {
				t.Run(format+" "+kind+" "+name, func(t *testing.T) {
					t.Parallel()
					for _, c := range looks {
						fresh, s := createAt(t, spots[kind], Options{Format: format}), createAt(t, spots[kind], Options{Format: format})
						write(t, fresh.name, with(shardOf(door, 0, c.want)))
						write(t, s.name, with(shardOf(door, 0, c.have)), with(lookOf(c.look)))
						equalTrees(t, s.files(t), fresh.files(t), c.have+" and "+c.look)
					}
				})
			}
		}
	}
}

// TestSecondLookTouchesLittle: a look that finds nothing new touches no file, and one that
// finds no picture touches none of pictures.
func TestSecondLookTouchesLittle(t *testing.T) {
	for _, format := range Formats() {
		for _, c := range looks {
			if c.have != c.want && strings.Contains(c.look, "f") {
				continue
			}
			dir := createIn(t, format)
			write(t, dir, shardOf(door, 0, c.have))
			long := time.Now().Add(-time.Hour).Truncate(time.Second)
			each(t, dir, func(path string) error { return os.Chtimes(path, long, long) })
			if _, err := writer(t, dir).Write(t.Context(), lookOf(c.look)); err != nil {
				t.Fatal(err)
			}
			each(t, dir, func(path string) error {
				info, err := os.Stat(path)
				if err == nil && !info.ModTime().Equal(long) && (c.have == c.want || !strings.Contains(path, "/ledger/")) {
					t.Errorf("%s, %s and %s: %s was touched", format, c.have, c.look, path)
				}
				return err
			})
		}
	}
}

// each calls do for every file and folder of a dataset but its own folder and tmp, which
// writers use.
func each(t *testing.T, dir string, do func(path string) error) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir || path == filepath.Join(dir, "tmp") {
			return err
		}
		return do(path)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSecondLookAtDamage: a picture that is damaged costs no other one. Its sample is asked
// for by the next backfill, and the dataset is whole then.
func TestSecondLookAtDamage(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		for _, kind := range []string{"folder", "mem", "s3"} {
			t.Run(format+" "+kind, func(t *testing.T) {
				t.Parallel()
				fresh, s := createAt(t, spots[kind], Options{Format: format}), createAt(t, spots[kind], Options{Format: format})
				write(t, fresh.name, shardOf(door, 0, "ffff"))
				write(t, s.name, shardOf(door, 0, "fnff"))
				span := shardOf(door, 0, "fnff").Span
				picture := shardOf(door, 0, "fnff").Frames[1].Data
				flipped := false
				for path, content := range s.files(t) {
					if at := strings.Index(content, string(picture)); at >= 0 {
						data := []byte(content)
						data[at+len(picture)/2] ^= 1
						s.put(t, path, string(data))
						flipped = true
					}
				}
				if !flipped {
					s.remove(t, s.pictures(t, span)[0]) // it is compressed
				}
				write(t, s.name, lookOf(".f.."))
				receipt, err := ledger.Open(s.name).AskFailed(t.Context(), span)
				if err != nil || receipt == nil || strings.Contains(fmt.Sprint(receipt), s.name) {
					t.Fatalf("the receipt is %v, %v, want one that is failed and tells no place", receipt, err)
				}
				lost := ledger.Gaps(receipt, frame.Failed)
				if n := frame.Count(lost); n == 0 || flipped && format != "parquet" && n != 1 {
					t.Errorf("%d samples are to be fetched again", n)
				}
				again := shardOf(door, 0, "ffff")
				var frames []frame.Frame
				for _, f := range again.Frames {
					for _, l := range lost {
						if i := door.Index(f.SampleMs); l.First <= i && i < l.End() {
							frames = append(frames, f)
						}
					}
				}
				again.Frames, again.Again = frames, lost
				write(t, s.name, again)
				equalTrees(t, s.files(t), fresh.files(t), "looked at once more")
			})
		}
	}
}

// TestSecondLookAtNothing: where the receipt went meanwhile nothing is written.
func TestSecondLookAtNothing(t *testing.T) {
	dir := create(t)
	write(t, dir, shardOf(door, 0, "fnff"))
	look := lookOf(".f..")
	if err := ledger.Open(dir).Remove(t.Context(), look.Span); err != nil {
		t.Fatal(err)
	}
	want := settled(t, dir)
	_, err := writer(t, dir).Write(t.Context(), look)
	var gone *GoneError
	if !errors.As(err, &gone) || gone.Span != look.Span {
		t.Errorf("the error is %v, want a *GoneError", err)
	}
	equalTrees(t, settled(t, dir), want, "a look at nothing")
}

// TestNoSecondLook: a look must have what it asked for, and nothing else.
func TestNoSecondLook(t *testing.T) {
	dir := create(t)
	write(t, dir, shardOf(door, 0, "fnnf"))
	want := settled(t, dir)
	for name, spoil := range map[string]func(*frame.Shard){
		"lacks a frame":        func(s *frame.Shard) { s.Frames = s.Frames[1:] },
		"was not asked for":    func(s *frame.Shard) { s.Again = s.Again[1:] },
		"has another's frame":  func(s *frame.Shard) { s.Frames[0] = shardOf(door, 0, "f").Frames[0] },
		"is in no order":       func(s *frame.Shard) { s.Frames[0], s.Frames[1] = s.Frames[1], s.Frames[0] },
		"has one sample twice": func(s *frame.Shard) { s.Frames[1] = s.Frames[0] },
	} {
		look := shardOf(door, 0, ".ff.")
		look.Again = []frame.Span{look.Span.Slice(first+1, first+2), look.Span.Slice(first+2, first+3)}
		spoil(&look)
		_, err := writer(t, dir).Write(t.Context(), look)
		var typed *ledger.ShardError
		if !errors.As(err, &typed) {
			t.Errorf("a look that %s: the error is %v, want a *ShardError", name, err)
		}
	}
	equalTrees(t, settled(t, dir), want, "looks that are none")
}

// TestKillSecondLook looks at what a kill at each step of a second look would leave: a
// dataset that is whole once the shard is fetched, by another look or, where its receipt is
// gone, afresh. A second look that another one comes between ends in the same bytes.
func TestKillSecondLook(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"files", "webdataset"} {
		for _, kind := range []string{"folder", "mem"} {
			for _, c := range looks[:5] {
				t.Run(strings.Join([]string{format, kind, c.have, c.look}, " "), func(t *testing.T) {
					t.Parallel()
					fresh := createAt(t, spots[kind], Options{Format: format})
					write(t, fresh.name, shardOf(door, 0, c.want))
					want := fresh.files(t)
					for at, steps := 0, 1; at < steps; at++ {
						for _, name := range []string{"failed", "killed", "another one"} {
							s := createAt(t, spots[kind], Options{Format: format})
							write(t, s.name, shardOf(door, 0, c.have))
							w, count, left := writer(t, s.name), 0, s
							w.step = func(string) (err error) {
								if count++; count-1 != at {
									return nil
								}
								switch {
								case name == "another one":
									lookOrFetch(t, s, c.look, c.want)
								case name == "killed" && kind == "folder":
									left = spot{name: filepath.Join(t.TempDir(), "killed")}
									return os.CopyFS(left.name, os.DirFS(s.name))
								default:
									return syscall.ENOSPC
								}
								return nil
							}
							_, err := w.Write(context.Background(), lookOf(c.look))
							steps = max(steps, count)
							if err != nil && !errors.Is(err, syscall.ENOSPC) {
								t.Errorf("%s at step %d: %v", name, at, err)
							}
							checkRecorded(t, left.name, name)
							lookOrFetch(t, left, c.look, c.want)
							equalTrees(t, withoutTemp(left.files(t)), want, fmt.Sprintf("%s at step %d", name, at))
						}
					}
				})
			}
		}
	}
}

// withoutTemp leaves out what a kill leaves for the next sweep.
func withoutTemp(files map[string]string) map[string]string {
	maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasPrefix(name, "tmp/") })
	return files
}

// lookOrFetch is what the next backfill does.
func lookOrFetch(t *testing.T, s spot, look, want string) {
	shard := lookOf(look)
	l := ledger.Open(s.name)
	receipt, err := l.Ask(t.Context(), shard.Span)
	if err == nil && receipt == nil {
		receipt, err = l.AskFailed(t.Context(), shard.Span)
	}
	if err != nil {
		t.Fatal(err)
	}
	if receipt == nil {
		shard = shardOf(door, 0, want)
	}
	write(t, s.name, shard)
}

// TestSecondLooksAtOnce: many writers look at the same shards at once, and none is lost.
func TestSecondLooksAtOnce(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		for _, format := range Formats() {
			fresh, s := createAt(t, where, Options{Format: format}), createAt(t, where, Options{Format: format})
			write(t, fresh.name, shardOf(door, 0, "ffff"))
			write(t, s.name, shardOf(door, 0, "fFnf"))
			var writers sync.WaitGroup
			for range 4 {
				w := writer(t, s.name)
				writers.Go(func() {
					_, err := w.Write(context.Background(), lookOf(".ff."))
					if gone := (*GoneError)(nil); err != nil && !errors.As(err, &gone) {
						t.Error(err)
					}
				})
			}
			writers.Wait()
			equalTrees(t, withoutTemp(s.files(t)), fresh.files(t), format)
		}
	})
}

// TestLooksAtOtherSamples: what another look finds while a shard's pictures are read back is
// not lost.
func TestLooksAtOtherSamples(t *testing.T) {
	onNetworks(t, func(t *testing.T, where func(testing.TB) spot) {
		fresh, s := createAt(t, where, Options{}), createAt(t, where, Options{})
		write(t, fresh.name, shardOf(door, 0, "ffff"))
		write(t, s.name, shardOf(door, 0, "fFnf"))
		w, first := writer(t, s.name), true
		s.front.Set(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, ".jpg") && first {
				first = false
				write(t, s.name, lookOf(".Ff."))
			}
			return false
		})
		if _, err := w.Write(t.Context(), lookOf(".f..")); err != nil {
			t.Error(err)
		}
		s.front.Set(nil)
		equalTrees(t, s.files(t), fresh.files(t), "looks at other samples")
	})
}

// TestSecondLookAtAnAwayStore: a store that does not answer is no proof of damage.
func TestSecondLookAtAnAwayStore(t *testing.T) {
	onNetworks(t, func(t *testing.T, where func(testing.TB) spot) {
		s := createAt(t, where, Options{})
		write(t, s.name, shardOf(door, 0, "fnff"))
		want := s.files(t)
		w := writer(t, s.name)
		s.front.Set(refusePictures)
		_, err := w.Write(t.Context(), lookOf(".f.."))
		s.front.Set(nil)
		if err == nil {
			t.Error("there is no error")
		}
		equalTrees(t, s.files(t), want, "a store that is away")
	})
}

func refusePictures(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet && strings.Contains(r.URL.Path, ".jpg") {
		return answer(w, http.StatusForbidden, "AccessDenied")
	}
	return false
}
