package transforms

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// From the stand-in to a dataset, deduped, resized and labeled: complete with its drops, and
// the same bytes on every runner and every time.
func TestDatasetOfSteps(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	newYear := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name: "front.door", Width: 320, Height: 180, Quota: &kvstest.Quota{},
		Media: []kvstest.Range{{From: newYear, To: newYear.Add(8 * time.Minute)}},
	}}})
	defer server.Close()
	var first map[string][]byte
	steps := []Step{
		DedupeParams{Threshold: 2},
		ResizeParams{Width: 64, Height: 64, Mode: Crop},
		MapParams{tellSize, true},
	}
	for _, runner := range []string{"prism", "direct", "prism"} {
		dir := t.TempDir()
		ds, err := dataset.Create(t.Context(), dir, dataset.Options{ShardSamples: 50, Transforms: Describe(steps...)})
		if err != nil {
			t.Fatal(err)
		}
		request := kvsio.Request{
			StreamName: "front.door", ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: newYear,
			EndTimestamp:     newYear.Add(10 * time.Minute),
			SamplingInterval: 3 * time.Second, Format: frame.JPEG,
		}
		if err := ds.Begin(t.Context(), request.Span()); err != nil {
			t.Fatal(err)
		}
		p, s := beam.NewPipelineWithRoot()
		shards := kvsio.ReadShards(s, kvsio.ReadParams{
			AWS:        kvsio.AWSParams{Region: server.Region, EndpointURL: server.URL},
			CallParams: kvsio.CallParams{StreamQuota: kvsio.UnknownQuota},
			PlanParams: kvsio.PlanParams{ShardSamples: ds.Options().ShardSamples},
		}, request)
		dataset.Write(s, dataset.WriteParams{Dir: dir}, Shards(s, shards, steps...))
		if _, err := beam.Run(t.Context(), runner, p); err != nil {
			t.Fatal(err)
		}
		if _, err := ds.Finish(t.Context(), dataset.FinishOptions{}); err != nil {
			t.Fatal(err)
		}
		report, err := ds.Verify(t.Context(), dataset.VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		drops, gaps := report.Drops[Duplicate], report.Gaps[frame.NoMedia]
		if !report.Complete || report.Samples != 200 || gaps != 40 || drops < 1 || report.Frames != 200-gaps-drops ||
			report.Frames < 4 {
			t.Errorf("%s: %+v", runner, report)
		}
		files := map[string][]byte{}
		err = fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				files[path], err = fs.ReadFile(os.DirFS(dir), path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = files
			labeled := 0
			for _, data := range files {
				if bytes.Contains(data, []byte(`"size":"64×64"`)) {
					labeled++
				}
			}
			if labeled == 0 {
				t.Error("no file has the labels")
			}
		}
		if !maps.EqualFunc(files, first, bytes.Equal) {
			t.Errorf("%s: the dataset is not what the first run made", runner)
		}
		loseAReceipt(t, ds)
	}
}

// loseAReceipt: what was asked for is on record, so that a shard that is gone is missed. Where
// receipts are gone the others are taken in.
func loseAReceipt(t *testing.T, ds *dataset.Dataset) {
	t.Helper()
	shards, err := filepath.Glob(filepath.Join(ds.Dir(), "shards", "*", "*"))
	if err != nil || len(shards) == 0 {
		t.Fatalf("the shards are %v, %v", shards, err)
	}
	before, err := ds.Verify(t.Context(), dataset.VerifyOptions{})
	if err != nil || before.Shards != 4 {
		t.Fatalf("%+v, %v", before, err)
	}
	without := before.Shards - int64(len(shards)) // of frames
	for lost, path := range shards {
		err := errors.Join(os.RemoveAll(path), os.RemoveAll(filepath.Join(ds.Dir(), "sealed")),
			os.RemoveAll(filepath.Join(ds.Dir(), "index")))
		if err != nil {
			t.Fatal(err)
		}
		report, err := ds.Verify(t.Context(), dataset.VerifyOptions{})
		if err != nil || report.Complete || report.Missing != 200 {
			t.Errorf("%d shards are gone, and the sealed receipts: %+v, %v", lost+1, report, err)
		}
		contents, err := ds.Finish(t.Context(), dataset.FinishOptions{})
		if missing := 50 * (int64(lost+1) + without); err != nil || contents.Complete || contents.Missing != missing {
			t.Errorf("%d shards are gone: %+v, %v", lost+1, contents, err)
		}
	}
}
