package grid

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
)

// orderOf makes an order of streams with so many shards of one sample.
func orderOf(shards ...int) *Order {
	var runs []frame.Span
	for i, n := range shards {
		runs = append(runs, frame.Span{
			Series: frame.Series{StreamName: fmt.Sprint("cam-", i), IntervalMs: 3000, Format: frame.JPEG}, Samples: int64(n),
		})
	}
	return NewOrder(CutWorks(runs, 1, 1)[0])
}

// Whatever streams can take when, every shard of the stretch is started once,
// claims are in order, and a claim that fails ends it there.
func TestTurnsStartEachShardOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := orderOf(rapid.SliceOfN(rapid.IntRange(1, 9), 1, 6).Draw(t, "shards")...)
		start := rapid.Int64Range(0, order.Total).Draw(t, "start")
		end := rapid.Int64Range(start, order.Total).Draw(t, "end")
		stop := rapid.Int64Range(start, end).Draw(t, "the end after a split")
		turns := NewTurns(order, start, end)
		want := make(map[frame.Span]bool)
		for k := start; k < stop; k++ {
			want[order.At(k)] = true
		}
		claimed, failed := start, false
		claim := func(k int64) bool {
			if failed || k != claimed {
				t.Fatalf("claim of %d after %d, failed: %v", k, claimed, failed)
			}
			if k >= stop {
				failed = true
				return false
			}
			claimed++
			return true
		}
		for !turns.Over() {
			busy := rapid.SliceOfN(rapid.IntRange(0, 3), len(order.streams), len(order.streams)).Draw(t, "busy")
			next, ok := turns.Choose(func(j int) (int, bool) { return busy[j], busy[j] < 3 })
			if !ok {
				continue
			}
			span, ok := turns.Start(next, claim)
			if !ok {
				continue
			}
			if !want[span] {
				t.Fatalf("%v was started already, or is not of the stretch", span)
			}
			delete(want, span)
		}
		if len(want) > 0 || claimed != stop {
			t.Fatalf("%d shards not started, %d of %d claimed", len(want), claimed, stop)
		}
	})
}

func TestTurns(t *testing.T) {
	order := orderOf(3, 3, 2)
	names := func(turns *Turns, held func(int) (int, bool), most int) (names []string) {
		for range most {
			next, ok := turns.Choose(held)
			if !ok {
				break
			}
			span, _ := turns.Start(next, func(int64) bool { return true })
			names = append(names, span.Series.StreamName)
		}
		return names
	}
	equal := func(int) (int, bool) { return 1, true }
	if got := names(NewTurns(order, 0, order.Total), equal, 9); !slices.Equal(got, []string{
		"cam-0", "cam-1", "cam-2", "cam-0", "cam-1", "cam-2", "cam-0", "cam-1",
	}) {
		t.Error("streams that keep pace take turns:", got)
	}
	slow := func(j int) (int, bool) { return 1, j != 1 }
	turns := NewTurns(order, 0, order.Total)
	if got := names(turns, slow, 9); !slices.Equal(got, []string{"cam-0", "cam-2", "cam-0", "cam-2", "cam-0"}) {
		t.Error("a stream that can take nothing holds nobody up:", got)
	}
	if turns.Claimed != 7 || turns.Over() {
		t.Error("claimed:", turns.Claimed)
	}
	most := func(j int) (int, bool) { return 5 - j, true }
	if got := names(NewTurns(order, 0, order.Total), most, 2); !slices.Equal(got, []string{"cam-2", "cam-2"}) {
		t.Error("the stream that has least in hand is next:", got)
	}
}
