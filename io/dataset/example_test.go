package dataset_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	//lint:ignore SA1019 prism, which Beam would have in its place, opens a port to everybody
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// From an empty folder to a dataset that is verified and has an index.
func Example() {
	// In place of AWS: a stand-in with a camera that misses a minute.
	start := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name: "front-door",
		Media: []kvstest.Range{
			{From: start, To: start.Add(2 * time.Minute)},
			{From: start.Add(3 * time.Minute), To: start.Add(time.Hour)},
		},
	}}})
	defer server.Close()
	for _, entry := range server.Env() { // credentials, region and endpoint
		name, value, _ := strings.Cut(entry, "=")
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}
	dir, err := os.MkdirTemp("", "dataset")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	request := kvsio.Request{
		StreamName:        "front-door",
		ImageSelectorType: kvsio.ProducerTimestamp,
		StartTimestamp:    start,
		EndTimestamp:      start.Add(5 * time.Minute),
		SamplingInterval:  3 * time.Second,
		Format:            frame.JPEG,
		WidthPixels:       320,
		HeightPixels:      180,
	}
	if err := request.Validate(); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	ds, err := dataset.Create(ctx, dir, dataset.Options{ShardSamples: 50})
	if err != nil {
		log.Fatal(err)
	}
	if err := ds.Begin(ctx, request.Span()); err != nil {
		log.Fatal(err)
	}
	var read kvsio.ReadParams
	read.Ledger = dir // what is there is not fetched again, and shards are cut as the dataset's are
	p, s := beam.NewPipelineWithRoot()
	shards := kvsio.ReadShards(s, read, request)
	dataset.Write(s, dataset.WriteParams{Dir: dir}, shards)
	if _, err := beam.Run(ctx, "direct", p); err != nil {
		log.Fatal(err)
	}
	if _, err := ds.Finish(ctx, dataset.FinishOptions{}); err != nil {
		log.Fatal(err)
	}

	report, err := ds.Verify(ctx, dataset.VerifyOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d frames, gaps %v, complete: %v\n", report.Frames, report.Gaps, report.Complete)
	// Output: 80 frames, gaps map[NO_MEDIA:20], complete: true
}

// What became of each sample.
func ExampleDataset_Samples() {
	dir, err := os.MkdirTemp("", "dataset")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	ds, err := dataset.Create(ctx, dir, dataset.Options{})
	if err != nil {
		log.Fatal(err)
	}
	writer, err := ds.NewWriter()
	if err != nil {
		log.Fatal(err)
	}
	_, err = writer.Write(ctx, frame.Shard{
		Span: frame.Span{Series: frame.Series{StreamName: "front-door", IntervalMs: 3000, Format: frame.JPEG}, Samples: 2},
		Gaps: []frame.Gap{{SampleMs: 0, Reason: frame.NoMedia}, {SampleMs: 3000, Reason: frame.MediaError}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := ds.Finish(ctx, dataset.FinishOptions{}); err != nil {
		log.Fatal(err)
	}

	recorded, err := ds.Recorded(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for group, err := range ds.Samples(ctx, recorded, false) {
		if err != nil {
			log.Fatal(err)
		}
		for _, s := range group.Samples {
			fmt.Printf("%s is a %v: %s\n", s.Key, s.Kind, s.Outcome)
		}
	}
	// Output:
	// front-door_19700101T000000000Z is a gap: NO_MEDIA
	// front-door_19700101T000003000Z is a gap: MEDIA_ERROR
}
