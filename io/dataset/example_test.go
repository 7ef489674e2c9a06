package dataset_test

import (
	"context"
	"fmt"
	"os"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	//lint:ignore SA1019 prism, which Beam would have in its place, opens a port to everybody
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

func Example() {
	if err := writeAndVerify(); err != nil {
		fmt.Println(err)
	}
	// Output: 2 samples, gaps map[NO_MEDIA:2], complete: true
}

func writeAndVerify() error {
	dir, err := os.MkdirTemp("", "dataset")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if _, err := dataset.Create(context.Background(), dir, dataset.Options{ShardSamples: 2}); err != nil {
		return err
	}

	// What is asked for is written down, so that what is missing can be told.
	asked := frame.Span{
		Series:  frame.Series{StreamName: "front-door", IntervalMs: 3000, Format: frame.JPEG},
		Samples: 2,
	}
	if err := ledger.Open(dir).Request(context.Background(), asked); err != nil {
		return err
	}

	// In a real pipeline, shards come from the source.
	p, s := beam.NewPipelineWithRoot()
	shards := beam.Create(s, frame.Shard{
		Span: asked,
		Gaps: []frame.Gap{
			{Stream: "front-door", SampleMs: 0, Reason: frame.NoMedia},
			{Stream: "front-door", SampleMs: 3000, Reason: frame.NoMedia},
		},
	})
	dataset.Write(s, dataset.WriteParams{Dir: dir}, shards)
	ctx := context.Background()
	if _, err := beam.Run(ctx, "direct", p); err != nil {
		return err
	}

	report, err := dataset.Verify(ctx, dir, dataset.VerifyOptions{})
	if err != nil {
		return err
	}
	fmt.Printf("%d samples, gaps %v, complete: %v\n", report.Samples, report.Gaps, report.Complete)
	return nil
}

func ExampleOpenIndex() {
	if err := listGaps(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// front-door_19700101T000000000Z is a gap: NO_MEDIA
	// front-door_19700101T000003000Z is a gap: MEDIA_ERROR
}

func listGaps() error {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "dataset")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if _, err := dataset.Create(ctx, dir, dataset.Options{}); err != nil {
		return err
	}
	writer, err := dataset.NewWriter(ctx, dir)
	if err != nil {
		return err
	}
	_, err = writer.Write(ctx, frame.Shard{
		Span: frame.Span{Series: frame.Series{StreamName: "front-door", IntervalMs: 3000, Format: frame.JPEG}, Samples: 2},
		Gaps: []frame.Gap{{SampleMs: 0, Reason: frame.NoMedia}, {SampleMs: 3000, Reason: frame.MediaError}},
	})
	if err != nil {
		return err
	}

	if _, err := dataset.WriteIndex(ctx, dir); err != nil {
		return err
	}
	index, err := dataset.OpenIndex(ctx, dir)
	if err != nil {
		return err
	}
	defer index.Close()
	for group := range index.Groups() {
		samples, err := index.Read(ctx, group)
		if err != nil {
			return err
		}
		for _, s := range samples {
			fmt.Printf("%s is a %v: %s\n", s.Key, s.Kind, s.Outcome)
		}
	}
	return nil
}
