package kvsio_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

func init() {
	store.Register("away", store.Driver{Open: func(store.Place) (store.Bucket, error) {
		return nil, errors.New("the store is away")
	}})
}

// TestReadWithALedger: the ledger is read when the job runs, and what it has of a
// shard is not fetched again.
func TestReadWithALedger(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}}})
	defer server.Close()
	for _, runner := range runners {
		t.Run(runner, func(t *testing.T) {
			p := paramsOf(server)
			p.Ledger = createDataset(t, dataset.Options{})
			asked := request("cam", newYear, 10*time.Minute)
			pipeline, s := beam.NewPipelineWithRoot()
			frames, gaps := kvsio.Read(s, p, asked)
			beam.ParDo0(s, &collectFrames{Run: t.Name()}, frames)
			beam.ParDo0(s, &collectGaps{Run: t.Name()}, gaps)

			// What another job has done since.
			there := asked.Span()
			there.Samples = 57
			shard := frame.Shard{Span: there}
			for i := range there.Samples {
				shard.Gaps = append(shard.Gaps, frame.Gap{
					Stream: "cam", SampleMs: there.Series.At(there.First + i), Reason: frame.NoMedia,
				})
			}
			receipt, err := ledger.NewReceipt(shard, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := ledger.Open(p.Ledger).Put(t.Context(), receipt); err != nil {
				t.Fatal(err)
			}

			if _, err := beam.Run(t.Context(), runner, pipeline); err != nil {
				t.Fatal(err)
			}
			got, none := sorted(t.Name())
			if len(got) != 143 || len(none) != 0 || got[0].SampleMs != there.Series.At(there.End()) {
				t.Errorf("%d frames and %d gaps, want 143 frames, from %v on", len(got), len(none), there.End())
			}
		})
	}
}

func createDataset(t *testing.T, options dataset.Options) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if _, err := dataset.Create(t.Context(), dir, options); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPlanForADataset: a plan is cut as the dataset is, and a dataset that is cut in another
// way, or is not there, is known when the job is planned: no call is made.
func TestPlanForADataset(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}}})
	defer server.Close()
	dir, nothing := createDataset(t, dataset.Options{ShardSamples: 50}), filepath.Join(t.TempDir(), "mistyped")
	damaged := createDataset(t, dataset.Options{})
	if err := os.WriteFile(filepath.Join(damaged, ledger.DescriptionFile), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ledger  string
		samples int
		want    string // in the error
		is      error
	}{
		{dir, 0, "", nil},
		{dir, 50, "", nil},
		{dir, 100, fmt.Sprintf("ShardSamples is 100: it must be 50, which the dataset %q has, or 0 for that", dir), nil},
		{nothing, 0, fmt.Sprintf("Ledger: %q is not a kvsframes dataset", nothing), ledger.ErrNoDataset},
		{damaged, 100, fmt.Sprintf("Ledger: %q belongs to another kind of dataset", damaged), ledger.ErrForeign},
	} {
		p := paramsOf(server)
		p.Ledger, p.ShardSamples = c.ledger, c.samples
		asked := request("cam", newYear, 10*time.Minute)
		plan, err := kvsio.NewPlan(t.Context(), p, []kvsio.Request{asked})
		pipeline, s := beam.NewPipelineWithRoot()
		kvsio.ReadShards(s, p, asked)
		before := server.Stats().GetImagesCalls
		_, jobErr := beam.Run(t.Context(), "direct", pipeline)
		if c.want == "" {
			if err != nil || jobErr != nil || plan.Shards != 4 {
				t.Errorf("%d samples a shard: %v, %v, %+v, want 4 shards", c.samples, err, jobErr, plan)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("the error of the plan is %v, want %s", err, c.want)
		}
		if jobErr == nil || !strings.Contains(jobErr.Error(), c.want) {
			t.Errorf("the error of the job is %v, want %s", jobErr, c.want)
		}
		if calls := server.Stats().GetImagesCalls; calls != before {
			t.Errorf("%s: %d calls were made", c.want, calls-before)
		}
	}
}

// TestReadPlanOfNothing: a plan that nobody made is known when the pipeline is.
func TestReadPlanOfNothing(t *testing.T) {
	_, s := beam.NewPipelineWithRoot()
	err := orPanic(func() error { kvsio.ReadPlan(s, kvsio.ReadParams{}, nil); return nil })
	if err == nil || !strings.Contains(err.Error(), "kvsio.ReadPlan: plan is nil") {
		t.Errorf("the error is %v", err)
	}
}

// TestReadWithALedgerThatIsAway: a pipeline can be made while its bucket cannot be
// reached, and the job says why it fails.
func TestReadWithALedgerThatIsAway(t *testing.T) {
	p := kvsio.ReadParams{LedgerParams: kvsio.LedgerParams{Ledger: "away://bucket/frames"}}
	pipeline, s := beam.NewPipelineWithRoot()
	kvsio.Read(s, p, request("cam", newYear, time.Minute))
	if _, err := beam.Run(t.Context(), "direct", pipeline); err == nil ||
		!strings.Contains(err.Error(), "the store is away") {
		t.Errorf("the error is %v", err)
	}
}

// TestReadWithoutADriver: a program that lacks the driver of a bucket is told which
// package to import, before there is a job.
func TestReadWithoutADriver(t *testing.T) {
	p := kvsio.ReadParams{LedgerParams: kvsio.LedgerParams{Ledger: "s3://bucket/frames"}}
	asked := request("cam", newYear, time.Minute)
	const want = `import _ "github.com/kvsframes/kvsframes/io/store/s3store"`
	for name, read := range map[string]func(s beam.Scope) error{
		"NewPlan": func(beam.Scope) error {
			_, err := kvsio.NewPlan(context.Background(), p, []kvsio.Request{asked})
			return err
		},
		"Read":       func(s beam.Scope) error { kvsio.Read(s, p, asked); return nil },
		"ReadShards": func(s beam.Scope) error { kvsio.ReadShards(s, p, asked); return nil },
		"ReadAll":    func(s beam.Scope) error { kvsio.ReadAll(s, p, beam.Create(s, asked)); return nil },
	} {
		_, s := beam.NewPipelineWithRoot()
		err := orPanic(func() error { return read(s) })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v", name, err)
		} else if strings.HasPrefix(name, "Read") && !strings.HasPrefix(err.Error(), "kvsio."+name+": ") {
			t.Errorf("%s panics in another name: %v", name, err)
		}
	}
}

// orPanic returns what do panics with, or else its error.
func orPanic(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return do()
}
