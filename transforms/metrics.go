package transforms

import (
	"context"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
)

// MetricNamespace is the namespace of the metrics. They are, of each of decode,
// resize, tensor, dedupe, map, filter and encode, the frames ("resize_frames")
// and the time that a frame took ("resize_us", a distribution in microseconds);
// and of what is left out the frames "corrupt", "duplicates" and "filtered".
const MetricNamespace = "kvsframes/transforms"

// meter counts the frames that something was done to, and the time it took.
type meter struct {
	name   string
	frames beam.Counter
	took   beam.Distribution
}

func newMeter(name string) *meter {
	return &meter{
		name, beam.NewCounter(MetricNamespace, name+"_frames"),
		beam.NewDistribution(MetricNamespace, name+"_us"),
	}
}

var (
	encoding        = newMeter("encode")
	corruptMetric   = beam.NewCounter(MetricNamespace, "corrupt")
	duplicateMetric = beam.NewCounter(MetricNamespace, "duplicates")
	filteredMetric  = beam.NewCounter(MetricNamespace, "filtered")
)

// cost is what was done to one frame.
type cost struct {
	meter  *meter
	frames int64
	took   time.Duration
}

// spend adds to what was done to the frame.
func (s *sample) spend(m *meter, frames int64, took time.Duration) {
	for i := range s.costs {
		if c := &s.costs[i]; c.meter == m {
			c.frames, c.took = c.frames+frames, c.took+took
			return
		}
	}
	s.costs = append(s.costs, cost{m, frames, took})
}

// count adds the sample to the metrics. It is called in the goroutine that Beam called.
func (s *sample) count(ctx context.Context) {
	for _, c := range s.costs {
		c.meter.frames.Inc(ctx, c.frames)
		c.meter.took.Update(ctx, c.took.Microseconds())
	}
	switch {
	case s.corrupt != nil:
		corruptMetric.Inc(ctx, 1)
	case s.drop == Duplicate:
		duplicateMetric.Inc(ctx, 1)
	case s.drop == Filtered:
		filteredMetric.Inc(ctx, 1)
	}
}
