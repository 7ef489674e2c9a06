package pipeline

import (
	"cmp"
	"maps"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

// streamProgress is what a job in this process has to fetch, stream by stream.
type streamProgress struct {
	left   map[stream]int64 // samples at the beginning
	before map[frame.Series]int64
}

type stream struct{ name, arn string }

func (s stream) compare(other stream) int {
	return cmp.Or(cmp.Compare(s.name, other.name), cmp.Compare(s.arn, other.arn))
}

func streamOf(series frame.Series) stream { return stream{series.StreamName, series.StreamARN} }

func watchStreams(missing []frame.Span) streamProgress {
	p := streamProgress{make(map[stream]int64), kvsio.CountersBySeries()}
	for _, span := range missing {
		p.left[streamOf(span.Series)] += span.Samples
	}
	return p
}

// done returns of how many streams all samples are there, and the name of that which has the
// most samples left.
func (p streamProgress) done() (done int64, slowest string) {
	left := maps.Clone(p.left)
	for series, samples := range kvsio.CountersBySeries() {
		if of := streamOf(series); p.left[of] > 0 {
			left[of] -= samples - p.before[series]
		}
	}
	most := int64(0)
	for _, of := range slices.SortedFunc(maps.Keys(left), stream.compare) {
		switch samples := left[of]; {
		case samples <= 0:
			done++
		case samples > most:
			most, slowest = samples, of.name
		}
	}
	return done, slowest
}
