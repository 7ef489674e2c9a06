package ledger

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestJoinStretches: what touches is one, in whatever order it comes; the longest is the first of
// several, and named by most of its samples.
func TestJoinStretches(t *testing.T) {
	of := func(first, samples int64, reason string) Stretch {
		return Stretch{first, samples, map[string]int64{reason: samples}}
	}
	all := []Stretch{of(0, 2, "FAILED"), of(5, 3, "NO_MEDIA"), of(8, 4, Missing), of(12, 1, "NO_MEDIA"), of(20, 8, "CORRUPT")}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	got := JoinStretches(all)
	want := []Stretch{
		of(0, 2, "FAILED"), {5, 8, map[string]int64{"NO_MEDIA": 4, Missing: 4}}, of(20, 8, "CORRUPT"),
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	if longest := Longest(got); longest.First != 5 || longest.Reason() != Missing {
		t.Errorf("the longest is %v, %s", longest, longest.Reason())
	}
	if Longest(nil).Samples != 0 || JoinStretches(nil) != nil {
		t.Error("nothing has a stretch")
	}
}
