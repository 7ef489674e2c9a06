package ledger_test

import (
	"context"
	"fmt"
	"os"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

func Example() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	door := frame.Series{StreamName: "front-door", IntervalMs: 3000, Format: frame.JPEG}
	asked := frame.Span{Series: door, First: 0, Samples: 3}
	shard := frame.Shard{
		Span: frame.Span{Series: door, First: 0, Samples: 2},
		Frames: []frame.Frame{{
			Stream: "front-door", SampleMs: 0, ImageMs: 0, Format: frame.JPEG, Width: 4, Height: 3, Data: []byte("a picture"),
		}},
		Gaps: []frame.Gap{{Stream: "front-door", SampleMs: 3000, Reason: frame.NoMedia}},
	}

	ctx := context.Background()
	l := ledger.Open(dir)
	receipt, err := ledger.NewReceipt(shard, "shards/door")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := l.Put(ctx, receipt); err != nil {
		fmt.Println(err)
		return
	}

	tallies, err := l.Tally(ctx, []frame.Span{asked})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d frames, gaps %v, %d missing\n", tallies[door].Frames, tallies[door].Gaps, tallies[door].Missing)
	for outcome := range ledger.Outcomes(receipt) {
		fmt.Printf("sample %d: frame %v, reason %q\n", outcome.Index, outcome.Kind == ledger.Frame, outcome.Reason)
	}
	// Output:
	// 1 frames, gaps map[NO_MEDIA:1], 1 missing
	// sample 0: frame true, reason ""
	// sample 1: frame false, reason "NO_MEDIA"
}
