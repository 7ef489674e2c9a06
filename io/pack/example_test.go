package pack_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	//lint:ignore SA1019 prism, which Beam would have in its place, opens a port to everybody
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/pack"
)

func ExamplePack() {
	if err := packASet(); err != nil {
		fmt.Println(err)
	}
	// Output: train: 3 frames in train-{000000..000001}.tar, 0 files missing
}

func packASet() error {
	ctx := context.Background()
	root, err := os.MkdirTemp("", "pack")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	archive, set := filepath.Join(root, "archive"), filepath.Join(root, "set")
	source, err := archiveFrames(ctx, archive, 3)
	if err != nil {
		return err
	}

	seed := int64(7)
	plan, err := pack.NewPlan(ctx, source, pack.Options{SamplesPerFile: 2, ShuffleSeed: &seed})
	if err != nil {
		return err
	}
	if err := plan.Create(ctx, set); err != nil {
		return err
	}
	p, s := beam.NewPipelineWithRoot()
	pack.Pack(s, pack.Params{Dir: archive, Place: set}, plan)
	if _, err := beam.Run(ctx, "direct", p); err != nil {
		return err
	}
	missing, err := plan.Finish(ctx, set)
	if err != nil {
		return err
	}
	for _, split := range plan.Set.Shards() {
		fmt.Printf("%s: %d frames in %s, %d files missing\n", split.Name, split.Frames, split.Shards, missing)
	}
	return nil
}

// archiveFrames makes a dataset of one shard.
func archiveFrames(ctx context.Context, dir string, frames int) (*dataset.Dataset, error) {
	ds, err := dataset.Create(ctx, dir, dataset.Options{})
	if err != nil {
		return nil, err
	}
	writer, err := ds.NewWriter()
	if err != nil {
		return nil, err
	}
	shard := frame.Shard{Span: frame.Span{
		Series:  frame.Series{StreamName: "front-door", IntervalMs: 3000, Format: frame.JPEG},
		Samples: int64(frames),
	}}
	for i := range frames {
		at := int64(i) * 3000
		shard.Frames = append(shard.Frames, frame.Frame{
			Stream: "front-door", SampleMs: at, ImageMs: at, Format: frame.JPEG, Width: 640, Height: 360,
			Data: []byte("a JPEG, in a real archive"),
		})
	}
	_, err = writer.Write(ctx, shard)
	return ds, err
}
