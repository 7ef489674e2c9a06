package pipeline

import (
	"cmp"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

const (
	// drainShards is how many shards a work holds for each that is in flight: it
	// ends with its slots emptying one by one, and that must not count.
	drainShards = 4

	// mostWorks keeps the job small. It is as many as Dataflow starts workers.
	mostWorks = 1000
)

// works is how many works the spans are cut into. Local runners split one as they
// like; Dataflow deals out several, and splits what is left at the end.
func (o Options) works(spans []framepb.Span) int {
	if o.Read.Works != 0 || !isDataflow(o.runner()) {
		return o.Read.Works
	}
	var samples int64
	for _, span := range spans {
		samples += span.Samples
	}
	shards := samples / int64(cmp.Or(o.Read.ShardSamples, kvsio.DefaultShardSamples))
	perWork := int64(drainShards * cmp.Or(o.Read.MaxInFlight, kvsio.DefaultMaxInFlight))
	return int(min(max(shards/perWork, 1), mostWorks))
}
