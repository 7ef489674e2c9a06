package grid

import (
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// MarkAgain marks the runs of works that are shards to be looked at again.
func MarkAgain(works []*framepb.Work, shards []frame.Span) {
	if len(shards) == 0 {
		return
	}
	again := make(map[frame.Span]bool, len(shards))
	for _, shard := range shards {
		again[shard] = true
	}
	for _, w := range works {
		series := seriesOf(w)
		for _, r := range w.Runs {
			r.Again = again[runOf(series, r)]
		}
	}
}

// AgainIn returns the shards of a work that are to be looked at again.
func AgainIn(w *framepb.Work) map[frame.Span]bool {
	again := make(map[frame.Span]bool)
	series := seriesOf(w)
	for _, r := range w.Runs {
		if r.Again {
			again[runOf(series, r)] = true
		}
	}
	return again
}

func runOf(series []frame.Series, r *framepb.Run) frame.Span {
	return frame.Span{Series: series[r.Series], First: r.First, Samples: r.Samples}
}
