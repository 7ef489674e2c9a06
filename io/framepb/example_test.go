package framepb_test

import (
	"fmt"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// A shard of a camera that is sampled every three seconds.
func ExampleSpan() {
	series := framepb.Series{
		StreamName: "front.door", ImageSelectorType: "PRODUCER_TIMESTAMP",
		IntervalMs: 3000, PhaseMs: 0, Format: framepb.JPEG, JPEGQuality: 80,
	}
	shard := framepb.Span{Series: series, First: 589_075_200, Samples: 100}
	fmt.Println(shard.Name())
	fmt.Println(framepb.Key(series.StreamName, series.At(shard.First+1)) + framepb.Extension(series.Format))
	// Output:
	// 20260101T000000000Z-100
	// front~door_20260101T000003000Z.jpg
}
