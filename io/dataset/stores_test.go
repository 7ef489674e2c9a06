package dataset

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
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
	s := createAt(t, spots["s3"], Options{})
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
		// Requests that are recorded at once may be left beside each other until the next one.
		if err := ledger.Open(s.name).Request(t.Context(), frame.Span{Series: door, First: first, Samples: 24}); err != nil {
			t.Error(err)
		}
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
