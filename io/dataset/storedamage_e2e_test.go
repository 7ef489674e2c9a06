//go:build e2e

package dataset

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/ledger"
)

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
			func(t *testing.T, s spot) { s.put(t, requestPath(shardOf(door, 0, "fnfd").Span), "{") },
			Report{Frames: 2, Damaged: 1},
			requestPath(shardOf(door, 0, "fnfd").Span) + " is damaged",
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
		if n, _, err := book.Discard(t.Context(), shardOf(door, 0, "fnfdff").Span); n != 1 || err != nil {
			t.Errorf("%d discarded, %v", n, err)
		}
		if files, err := book.Files(t.Context(), door); len(files.Loose) != 1 || err != nil {
			t.Errorf("left are %v, %v", files, err)
		}
		write(t, s.name, shardOf(door, 0, "fnfd"))
		equalTrees(t, s.files(t), want, "written again")
	})
}
