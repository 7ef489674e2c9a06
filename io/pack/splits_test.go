package pack

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCheckSplits(t *testing.T) {
	for _, test := range []struct {
		splits []Split
		want   string
	}{
		{[]Split{{"train", 1}}, ""},
		{[]Split{{"train", 0.9}, {"val", 0.1}}, ""},
		{[]Split{{"a", 0.1}, {"b_2", 0.2}, {"c", 0.7000001}}, ""},
		{nil, "add up to 0"},
		{[]Split{{"train", 0.9}}, "add up to 0.9"},
		{[]Split{{"train", 0.9}, {"val", 0.2}}, "add up to 1.1"},
		{[]Split{{"train", 0.5}, {"train", 0.5}}, "two splits are called train"},
		{[]Split{{"_train", 1}}, "not begin with _"},
		{[]Split{{"Train", 1}}, `"Train"`},
		{[]Split{{"a-b", 1}}, `"a-b"`},
		{[]Split{{"", 1}}, `""`},
		{[]Split{{"a/../b", 1}}, `"a/../b"`},
		{[]Split{{"a", 1}, {"b", 0}}, "the share of b is 0"},
		{[]Split{{"a", 1.5}, {"b", -0.5}}, "the share of a is 1.5"},
		{[]Split{{"a", math.NaN()}}, "the share of a is NaN"},
	} {
		if err := CheckSplits(test.splits); (err == nil) != (test.want == "") ||
			!strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%v: %v, want %q", test.splits, err, test.want)
		}
	}
}

// drawSplits draws some whose shares add up to 1.
func drawSplits(t *rapid.T) []Split {
	weights := rapid.SliceOfN(rapid.IntRange(1, 100), 1, 5).Draw(t, "weights")
	sum := 0
	for _, w := range weights {
		sum += w
	}
	var splits []Split
	for i, w := range weights {
		splits = append(splits, Split{fmt.Sprint("split_", i), float64(w) / float64(sum)})
	}
	return splits
}

// Every unit is in a split, and no border between two is further off than half
// the largest unit.
func TestAssignKeepsToShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		splits := drawSplits(t)
		units := rapid.MapOf(rapid.String(), rapid.Int64Range(1, 1_000_000)).Draw(t, "units")
		d := newDivider(rapid.SampledFrom([]string{ByStream, ByDay}).Draw(t, "by"), splits)
		d.assign(units)
		var total, largest int64
		counts := make([]int64, len(splits))
		for unit, n := range units {
			split, ok := d.Of[unit]
			if !ok || split < 0 || split >= len(splits) {
				t.Fatalf("%q is in split %d", unit, split)
			}
			counts[split] += n
			total, largest = total+n, max(largest, n)
		}
		var have, want float64
		for i, split := range splits {
			have += float64(counts[i])
			want += split.Share * float64(total)
			if off := math.Abs(have - want); off > float64(largest)/2+1e-6*float64(total) {
				t.Fatalf("the splits up to %s have %v frames, want %v", split.Name, have, want)
			}
		}
	})
}

// By sample, shares are kept to as chance does, and a frame stays in its split
// whatever else there is.
func TestSamplesKeepToShares(t *testing.T) {
	d := newDivider(BySample, []Split{{"train", 0.8}, {"val", 0.15}, {"test", 0.05}})
	counts := make(map[int]int)
	const n = 20_000
	for i := range int64(n) {
		counts[d.Of[d.unit("cam", 3000*i)]]++
	}
	for i, want := range []int{n * 80 / 100, n * 15 / 100, n * 5 / 100} {
		if got := counts[i]; got < want*9/10 || got > want*11/10 {
			t.Errorf("split %d has %d, want about %d", i, got, want)
		}
	}
}

func TestUnits(t *testing.T) {
	const lastOfYear = 1767225599999 // 2025-12-31T23:59:59.999Z
	for _, test := range []struct{ by, want string }{{ByStream, "front.door"}, {ByDay, "2025-12-31"}} {
		d := newDivider(test.by, []Split{{"train", 1}})
		if got := d.unit("front.door", lastOfYear); got != test.want {
			t.Errorf("by %s the unit is %q, want %q", test.by, got, test.want)
		}
	}
}
