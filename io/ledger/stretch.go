package ledger

import (
	"cmp"
	"maps"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// Missing is the reason of samples that are in no receipt, among reasons of gaps.
const Missing = "MISSING"

// Stretch is consecutive samples of a series that are gaps, or in no receipt.
type Stretch struct {
	First   int64            `json:"first"` // index on the series' grid
	Samples int64            `json:"samples"`
	Reasons map[string]int64 `json:"reasons"` // how many samples are so for each reason; [Missing] is one
}

func (s Stretch) end() int64 { return s.First + s.Samples }

// Reason returns the reason of most of the samples, the first by name of several.
func (s Stretch) Reason() string {
	reasons := slices.Sorted(maps.Keys(s.Reasons))
	return slices.MaxFunc(reasons, func(a, b string) int { return cmp.Compare(s.Reasons[a], s.Reasons[b]) })
}

// StretchesIn returns the stretches of a part of a receipt, which may be without what it says of
// each frame. Those that touch are apart: see [JoinStretches].
func StretchesIn(receipt *framepb.Receipt, part frame.Span) (all []Stretch) {
	for run := range Runs(receipt, part) {
		if run.Kind == Gap {
			all = append(all, Stretch{run.First, run.Samples, map[string]int64{run.Reason: run.Samples}})
		}
	}
	return all
}

// JoinStretches returns stretches of one series in order, those that touch as one.
func JoinStretches(stretches []Stretch) (joined []Stretch) {
	slices.SortFunc(stretches, func(a, b Stretch) int { return cmp.Compare(a.First, b.First) })
	for _, s := range stretches {
		if n := len(joined); n > 0 && joined[n-1].end() == s.First {
			last := &joined[n-1]
			last.Samples, last.Reasons = last.Samples+s.Samples, sum(last.Reasons, s.Reasons)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// Longest returns the longest of some stretches, the first of several.
func Longest(stretches []Stretch) (longest Stretch) {
	for _, s := range stretches {
		if s.Samples > longest.Samples {
			longest = s
		}
	}
	return longest
}

// missing returns the stretches of what was asked for and not claimed.
func missing(asked []frame.Span, claims []Claim) (all []Stretch) {
	var claimed []frame.Span
	for _, claim := range claims {
		claimed = append(claimed, claim.Spans...)
	}
	for _, span := range frame.Minus(asked, frame.Union(claimed)) {
		all = append(all, Stretch{span.First, span.Samples, map[string]int64{Missing: span.Samples}})
	}
	return all
}
