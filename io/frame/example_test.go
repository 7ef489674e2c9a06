package frame_test

import (
	"fmt"

	"github.com/kvsframes/kvsframes/io/frame"
)

// A shard of a camera that is sampled every three seconds.
func ExampleSpan() {
	series := frame.Series{
		StreamName: "front.door", ImageSelectorType: "PRODUCER_TIMESTAMP",
		IntervalMs: 3000, PhaseMs: 0, Format: frame.JPEG, JPEGQuality: 80,
	}
	shard := frame.Span{Series: series, First: 589_075_200, Samples: 100}
	fmt.Println(shard.Name())
	fmt.Println(frame.Key(series.StreamName, series.At(shard.First+1)) + frame.Extension(series.Format))
	// Output:
	// 20260101T000000000Z-100
	// front~door_20260101T000003000Z.jpg
}
