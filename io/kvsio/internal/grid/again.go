package grid

import (
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// Again is shards that are to be looked at again, and of each the samples that are NO_MEDIA gaps
// and may have footage by now, as frame.Union returns them.
type Again map[frame.Span][]frame.Span

// MarkAgain marks the runs of works that are shards to be looked at again.
func MarkAgain(works []*framepb.Work, again Again) {
	if len(again) == 0 {
		return
	}
	for _, w := range works {
		series := seriesOf(w)
		for _, r := range w.Runs {
			var late []frame.Span
			late, r.Again = again[runOf(series, r)]
			for _, span := range late {
				r.Late = append(r.Late, span.First, span.Samples)
			}
		}
	}
}

// AgainIn returns the shards of a work that are to be looked at again.
func AgainIn(w *framepb.Work) Again {
	again := make(Again)
	series := seriesOf(w)
	for _, r := range w.Runs {
		if !r.Again {
			continue
		}
		shard := runOf(series, r)
		var late []frame.Span
		for i := 0; i+1 < len(r.Late); i += 2 {
			late = append(late, shard.Slice(r.Late[i], r.Late[i]+r.Late[i+1]))
		}
		again[shard] = late
	}
	return again
}

func runOf(series []frame.Series, r *framepb.Run) frame.Span {
	return frame.Span{Series: series[r.Series], First: r.First, Samples: r.Samples}
}
