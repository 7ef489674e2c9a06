//go:build e2e

package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

var inPlace = map[string]func(t *testing.T, s spot){
	"nothing":            func(*testing.T, spot) {},
	"the same":           func(t *testing.T, s spot) { write(t, s.name, shardOf(door, 0, "ffnd")) },
	"other pictures":     func(t *testing.T, s spot) { write(t, s.name, shardOf(door, 0, "ggnd")) },
	"more pictures":      func(t *testing.T, s spot) { write(t, s.name, shardOf(door, 0, "ffff")) },
	"no pictures":        func(t *testing.T, s spot) { write(t, s.name, shardOf(door, 0, "nnnn")) },
	"a failed one":       func(t *testing.T, s spot) { write(t, s.name, shardOf(door, 0, "fFnf")) },
	"other files of its": func(t *testing.T, s spot) { s.put(t, damagedShard+"/front~door_20260101T000009000Z.npy", "x") },
	"a damaged receipt": func(t *testing.T, s spot) {
		write(t, s.name, shardOf(door, 0, "ggnd"))
		s.put(t, damagedReceipt, `{"series"`)
	},
	"a damaged picture": func(t *testing.T, s spot) {
		write(t, s.name, shardOf(door, 0, "ffnd"))
		s.put(t, damagedPicture, "01234567890123456789")
	},
}

// TestKillEverywhere: what an error, and so a kill, at each step of a write
// leaves is a dataset without that shard or with all of it; written again, it is
// the same as an undisturbed one.
func TestKillEverywhere(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		network := where(t).front != nil
		for name, before := range inPlace {
			if network && !slices.Contains([]string{"nothing", "more pictures", "a damaged receipt"}, name) {
				continue // mem takes the same steps: what is different there is how files come and go
			}
			for _, outcomes := range []string{"ffnd", "nnnd"} {
				killAtEachStep(t, where, outcomes+" over "+name, before, shardOf(door, 0, outcomes))
			}
		}
	})
}

func killAtEachStep(t *testing.T, where func(testing.TB) spot, name string, before func(*testing.T, spot),
	shard frame.Shard,
) {
	undisturbed := createAt(t, where, Options{})
	// neighbours, one with a name that begins alike
	write(t, undisturbed.name, shardOf(door, 3, "ff"), shardOf(door, 0, "f"), shard)
	want := undisturbed.files(t)
	steps := 0
	for at := 0; at <= steps; at++ {
		s := createAt(t, where, Options{})
		write(t, s.name, shardOf(door, 3, "ff"), shardOf(door, 0, "f"))
		before(t, s)
		if err := ledger.Open(s.name).Request(t.Context(), shard.Span); err != nil {
			t.Fatal(err)
		}
		w, count := writer(t, s.name), 0
		w.step = func(string) error {
			if count++; count-1 != at {
				return nil
			}
			return syscall.ENOSPC
		}
		_, err := w.Write(context.Background(), shard)
		steps = max(steps, count)
		when := fmt.Sprintf("%s, step %d", name, at)
		if err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s: the error is %v", when, err)
			}
			checkRecorded(t, s.name, when)
		}
		write(t, s.name, shard)
		equalTrees(t, s.files(t), want, when)
	}
	if len(shard.Frames) > 0 && steps < 4 && !strings.HasSuffix(name, "over the same") {
		t.Errorf("%s: only %d steps were tried", name, steps)
	}
}
