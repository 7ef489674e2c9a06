package transforms

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
)

// MetricNamespace is the namespace of the metrics. They are, of each of decode,
// resize, tensor, dedupe, map, filter and encode, the frames ("resize_frames")
// and the time that a frame took ("resize_us", a distribution in microseconds);
// and of what is left out the frames "corrupt", "duplicates" and "filtered".
const MetricNamespace = "kvsframes/transforms"

// kind is what time is spent on.
type kind int

const (
	decoding kind = iota
	resizing
	tensors
	deduping
	mapping
	filtering
	encoding
	kinds
)

var kindNames = [kinds]string{"decode", "resize", "tensor", "dedupe", "map", "filter", "encode"}

var (
	frameMetrics, timeMetrics = func() (frames [kinds]beam.Counter, times [kinds]beam.Distribution) {
		for k, name := range kindNames {
			frames[k] = beam.NewCounter(MetricNamespace, name+"_frames")
			times[k] = beam.NewDistribution(MetricNamespace, name+"_us")
		}
		return frames, times
	}()
	corruptMetric   = beam.NewCounter(MetricNamespace, "corrupt")
	duplicateMetric = beam.NewCounter(MetricNamespace, "duplicates")
	filteredMetric  = beam.NewCounter(MetricNamespace, "filtered")
)

// tell counts what became of the work. It is of the goroutine that Beam called.
func (w *work) tell(ctx context.Context) {
	for k, spent := range w.spent {
		if spent.frames > 0 {
			frameMetrics[k].Inc(ctx, spent.frames)
			timeMetrics[k].Update(ctx, spent.time.Microseconds())
		}
	}
	switch {
	case w.corrupt != nil:
		corruptMetric.Inc(ctx, 1)
	case w.drop == Duplicate:
		duplicateMetric.Inc(ctx, 1)
	case w.drop == Filtered:
		filteredMetric.Inc(ctx, 1)
	}
}
