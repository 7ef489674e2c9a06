package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestSameEverywhere: a dataset of any format has the same files in every place,
// and they are verified there.
func TestSameEverywhere(t *testing.T) {
	t.Parallel()
	pngs := door
	pngs.Format = frame.PNG
	shards := []frame.Shard{
		shardOf(door, 0, "fnfd"), shardOf(door, 4, "nn"), shardOf(door, 6, "Ff"), shardOf(pngs, 0, "f"),
		shardOf(door, 8, "ffffffffffffffffffffffff"),
	}
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) { sameEverywhere(t, format, shards) })
	}
}

func sameEverywhere(t *testing.T, format string, shards []frame.Shard) {
	local := createIn(t, format)
	write(t, local, shards...)
	want := spot{name: local}.files(t)
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := createAt(t, where, Options{Format: format})
		if _, err := Create(t.Context(), s.name, Options{}); err != nil {
			t.Errorf("created again: %v", err)
		}
		write(t, s.name, shards...)
		equalTrees(t, s.files(t), want, "written")
		write(t, s.name, shards...)
		equalTrees(t, s.files(t), want, "written again")
		report := verify(t, s.name)
		if report.Frames != 28 || report.Failed != 1 || report.Missing+report.Corrupt+report.Duplicate+report.Damaged != 0 ||
			len(report.Problems) > 0 || report.Dataset != s.name {
			t.Errorf("Verify = %+v", report)
		}
		if err := opened(t, s.name).Sweep(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestObjectNames looks at what others find in the bucket.
func TestObjectNames(t *testing.T) {
	s := createAt(t, newS3, Options{})
	write(t, s.name, shardOf(door, 0, "ff"))
	_, endpoint, _ := strings.Cut(s.name, "endpoint=")
	for path, want := range map[string]string{
		"dataset.json": "application/json",
		"ledger/" + door.ID() + "/20260101T000000000Z-2.json":                               "application/json",
		"shards/" + door.ID() + "/20260101T000000000Z-2/front~door_20260101T000003000Z.jpg": "image/jpeg",
	} {
		answer, err := http.Get(endpoint + "/bucket/some/prefix/" + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != want {
			t.Errorf("%s: %s, %s, want %s", path, answer.Status, answer.Header.Get("Content-Type"), want)
		}
	}
}

func TestFailedKeepsCompleteEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := createAt(t, where, Options{})
		write(t, s.name, shardOf(door, 0, "ffnd"))
		want := s.files(t)
		receipt, err := writer(t, s.name).Write(context.Background(), shardOf(door, 0, "FFFF"))
		if err != nil || receipt.Frames != 2 {
			t.Errorf("Write = %v, %v, want the receipt of what is there", receipt, err)
		}
		equalTrees(t, s.files(t), want, "a failed shard over a complete one")
	})
}

// TestWritersEverywhere has writers write the same shards at once, and creators
// create the same dataset.
func TestWritersEverywhere(t *testing.T) {
	var shards []frame.Shard
	for i := range int64(6) {
		shards = append(shards, shardOf(door, 4*i, "fnff"))
	}
	local := create(t)
	write(t, local, shards...)
	want := spot{name: local}.files(t)
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := where(t)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if _, err := Create(t.Context(), s.name, Options{Format: "files"}); err != nil {
					t.Error(err)
				}
				w := writer(t, s.name)
				for _, shard := range shards {
					if err := ledger.Open(s.name).Request(t.Context(), shard.Span); err != nil {
						t.Error(err)
					}
					if _, err := w.Write(context.Background(), shard); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		equalTrees(t, s.files(t), want, "3 writers")
	})
}

// TestCreatorsAgree: of creators that want different datasets one kind wins, and
// the others are told.
func TestCreatorsAgree(t *testing.T) {
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := where(t)
		var all sync.WaitGroup
		var mu sync.Mutex
		won := make(map[int]int)
		for i := range 8 {
			all.Go(func() {
				ds, err := Create(t.Context(), s.name, Options{ShardSamples: 10 + i%2})
				mu.Lock()
				defer mu.Unlock()
				var mismatch *MismatchError
				switch {
				case err == nil:
					won[ds.Options().ShardSamples]++
				case !errors.As(err, &mismatch):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 || slices.Collect(maps.Values(won))[0] != 4 {
			t.Errorf("datasets were made: %v", won)
		}
	})
}

func TestBadPlacesEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := where(t)
		if _, err := Open(t.Context(), s.name); !errors.Is(err, ErrNoDataset) {
			t.Errorf("nothing is there: %v", err)
		}
		s.put(t, "photo.jpg", "x")
		if _, err := Create(t.Context(), s.name, Options{}); !errors.Is(err, ErrNoDataset) ||
			!strings.Contains(err.Error(), "not empty") {
			t.Errorf("a place of something else: %v", err)
		}
		s.remove(t, "photo.jpg")
		s.put(t, "dataset.json", `{"version":1`)
		if _, err := Create(t.Context(), s.name, Options{}); !errors.Is(err, ErrForeign) {
			t.Errorf("a damaged description: %v", err)
		}
		if files := s.files(t); len(files) != 1 {
			t.Errorf("left are %v", files)
		}
	})
}

// TestDamageEverywhere: what happens to files is found in every place.
func TestDamageEverywhere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil   func(t *testing.T, s spot)
		want    Report
		problem string
	}{
		"cut picture": {
			func(t *testing.T, s spot) { s.put(t, damagedPicture, "01234567890123456789") },
			Report{Frames: 1, Corrupt: 1},
			"it has 20 bytes",
		},
		"empty picture": {
			func(t *testing.T, s spot) { s.put(t, damagedPicture, "") },
			Report{Frames: 1, Corrupt: 1},
			"it has 0 bytes",
		},
		"longer picture": {
			func(t *testing.T, s spot) { s.put(t, damagedPicture, strings.Repeat("x", 1<<20)) },
			Report{Frames: 1, Corrupt: 1},
			"more than",
		},
		"no picture": {
			func(t *testing.T, s spot) { s.remove(t, damagedPicture) },
			Report{Frames: 1, Missing: 1},
			"front~door_20260101T000000000Z.jpg",
		},
		"no receipt": {func(t *testing.T, s spot) { s.remove(t, damagedReceipt) }, Report{Missing: 4}, "4 samples"},
		"damaged receipt": {
			func(t *testing.T, s spot) { s.put(t, damagedReceipt, "{") },
			Report{Missing: 4, Damaged: 1},
			damagedReceipt + " is damaged",
		},
		"damaged request": {
			func(t *testing.T, s spot) { s.put(t, damagedRequest, "{") },
			Report{Frames: 2, Damaged: 1},
			damagedRequest + " is damaged",
		},
		"strays": {func(t *testing.T, s spot) {
			for _, path := range []string{
				damagedShard + "/x", "shards/y", "ledger/z", "ledger/" + door.ID() + "/z",
				"shards/other/20260101T001200000Z-4/x",
			} {
				s.put(t, path, "x")
			}
		}, Report{Frames: 2}, "5 problems"},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
				s := createAt(t, where, Options{})
				write(t, s.name, shardOf(door, 0, "fnfd"))
				test.spoil(t, s)
				got := verify(t, s.name)
				if got.Frames != test.want.Frames || got.Corrupt != test.want.Corrupt || got.Missing != test.want.Missing ||
					got.Damaged != test.want.Damaged {
					t.Errorf("Verify = %+v", got)
				}
				problems := append(got.Problems, fmt.Sprintf("%d problems", len(got.Problems)))
				if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, test.problem) }) {
					t.Errorf("the problems are %q, want one of them to say %q", got.Problems, test.problem)
				}
			})
		})
	}
}

// TestDiscardEverywhere: a damaged receipt is forgotten, and its shard written
// again.
func TestDiscardEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := createAt(t, where, Options{})
		write(t, s.name, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
		want := s.files(t)
		s.put(t, damagedReceipt, "{")
		book := ledger.Open(s.name)
		if n, err := book.Discard(t.Context(), shardOf(door, 0, "fnfdff").Span); n != 1 || err != nil {
			t.Errorf("%d discarded, %v", n, err)
		}
		if entries, err := book.Have(t.Context(), door); len(entries) != 1 || err != nil {
			t.Errorf("left are %v, %v", entries, err)
		}
		write(t, s.name, shardOf(door, 0, "fnfd"))
		equalTrees(t, s.files(t), want, "written again")
	})
}

// TestOneFileEverywhere: the walls hold for a format of one file a shard, of any
// size.
func TestOneFileEverywhere(t *testing.T) {
	container.All["one"] = oneFile{}
	t.Cleanup(func() { delete(container.All, "one") })
	big := shardOf(door, 8, "f")
	big.Frames[0].Data = append(big.Frames[0].Data, make([]byte, 20<<20)...)
	t.Run("in", func(t *testing.T) {
		everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
			s := createAt(t, where, Options{Format: "one"})
			write(t, s.name, shardOf(door, 0, "fgnd"), shardOf(door, 4, "fff"), shardOf(door, 4, "ggn"), shardOf(door, 7, "f"),
				shardOf(door, 7, "n"), big)
			report := verify(t, s.name)
			if !report.Complete || report.Frames != 5 || len(report.Problems) > 0 {
				t.Errorf("Verify = %+v", report)
			}
			s.put(t, damagedShard+".bin", "01234567890123456789")
			s.remove(t, "shards/"+door.ID()+"/20260101T000012000Z-3.bin")
			if report = verify(t, s.name); report.Corrupt != 2 || report.Missing != 2 {
				t.Errorf("Verify of damage = %+v", report)
			}
		})
	})
}

// halfway is a format that fails when it has written a part.
type halfway struct{ oneFile }

func (halfway) Write(shard frame.Shard, create func(string) (io.WriteCloser, error)) error {
	file, err := create("")
	if err != nil {
		return err
	}
	if _, err := file.Write(make([]byte, 12<<20)); err != nil {
		return errors.Join(err, file.Close())
	}
	file.Close()
	return syscall.ENOSPC
}

// TestHalfAnUpload: an object that was not written to its end never appears, and
// what was there before stays.
func TestHalfAnUpload(t *testing.T) {
	container.All["half"] = oneFile{}
	t.Cleanup(func() { delete(container.All, "half") })
	t.Run("in", func(t *testing.T) {
		everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
			s := createAt(t, where, Options{Format: "half"})
			w := writer(t, s.name)
			w.of.format = halfway{}
			want := s.files(t)
			if _, err := w.Write(context.Background(), shardOf(door, 0, "ff")); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("the error is %v", err)
			}
			opened(t, s.name).Sweep(t.Context())
			equalTrees(t, s.files(t), want, "half an upload")
		})
	})
}

// TestFileEverywhere: what a format reads is the file, read through or at any
// place, whatever connections are cut.
func TestFileEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := where(t)
		content := make([]byte, 3<<20)
		rand.NewChaCha8([32]byte{}).Read(content)
		s.put(t, "shards/x", string(content))
		if s.front != nil {
			var n atomic.Int64
			s.front.set(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodGet || n.Add(1)%3 > 0 {
					return false
				}
				cutAnswer(w, r, s.front.behind)
				return true
			})
		}
		file, err := s.store(t).Open(context.Background(), "shards/x")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if file.Size() != int64(len(content)) {
			t.Errorf("the size is %d", file.Size())
		}
		part := make([]byte, 1<<20)
		for _, at := range []int{0, 1 << 20, len(content) - 1<<20, 12345} {
			if n, err := file.ReadAt(part, int64(at)); n != len(part) || err != nil && err != io.EOF ||
				!bytes.Equal(part, content[at:at+n]) {
				t.Errorf("ReadAt %d: %d bytes, %v", at, n, err)
			}
		}
		if n, err := file.ReadAt(part, int64(len(content)-10)); n != 10 || err != io.EOF {
			t.Errorf("ReadAt over the end: %d bytes, %v", n, err)
		}
		if n, err := file.ReadAt(part, int64(len(content))); n != 0 || err != io.EOF {
			t.Errorf("ReadAt at the end: %d bytes, %v", n, err)
		}
		if all, err := io.ReadAll(file); err != nil || !bytes.Equal(all, content) {
			t.Errorf("Read: %d bytes, %v", len(all), err)
		}
	})
}

// TestEmulator: Google's clients are led to an emulator by the environment.
func TestEmulator(t *testing.T) {
	for _, form := range []string{"http://", ""} {
		s := newGCS(t)
		_, host, _ := strings.Cut(s.name, "endpoint=http://")
		t.Setenv("STORAGE_EMULATOR_HOST", form+host)
		name := "gs://bucket/emulated?universe_domain=googleapis.com"
		if form == "" {
			name = "gs://bucket/emulated"
		}
		if _, err := Create(t.Context(), name, Options{}); err != nil {
			t.Fatal(err)
		}
		write(t, name, shardOf(door, 0, "fnff"))
		if report := verify(t, name); !report.Complete || report.Frames != 3 {
			t.Errorf("Verify = %+v", report)
		}
	}
}
