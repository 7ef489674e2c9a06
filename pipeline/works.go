package pipeline

import (
	"cmp"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

const (
	// drainShards is how many shards a work holds for each that is in flight: it
	// ends with its slots emptying one by one, and that must not count.
	drainShards = 4

	// mostWorks keeps the job small. It is as many as Dataflow starts workers.
	mostWorks = 1000
)

// works is how many works the spans are cut into. Local runners get one: the direct
// runner has one bundle, and prism splits what it gets. Flink deals out one a slot, and
// each costs what its end costs; Dataflow deals out several, and splits what is left at
// the end.
func (o Options) works(spans []frame.Span) int {
	switch {
	case o.Read.Works != 0:
		return o.Read.Works
	case isDataflow(o.runner()):
		perWork := int64(drainShards * cmp.Or(o.Read.MaxInFlight, kvsio.DefaultMaxInFlight))
		shards := frame.Count(spans) / int64(cmp.Or(o.Read.ShardSamples, kvsio.DefaultShardSamples))
		return int(min(max(shards/perWork, 1), mostWorks))
	case isFlink(o.runner()) || !workersAreHere(o.runner()):
		return max(1, *jobopts.Parallelism)
	}
	return 1
}
