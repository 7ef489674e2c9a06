package pipeline

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/io/ledger"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// options asks a stand-in for five minutes of one stream.
func options(t *testing.T, faults ...kvstest.Fault) (Options, *kvstest.Server) {
	t.Helper()
	server := kvstest.NewServer(kvstest.Config{
		Streams: []kvstest.Stream{{
			Name: "cam", Width: 160, Height: 90, Quota: &kvstest.Quota{},
			Media: []kvstest.Range{{From: start, To: start.Add(4 * time.Minute)}},
		}},
		Faults: faults,
	})
	t.Cleanup(server.Close)
	for _, entry := range server.Env() {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
	return Options{
		Out: t.TempDir() + "/out",
		Requests: []kvsio.Request{{
			StreamName: "cam", ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: start,
			EndTimestamp: start.Add(5 * time.Minute), SamplingInterval: 3 * time.Second, Format: frame.JPEG,
		}},
	}, server
}

// wantNoTmp: however a job ends, nothing is being written any more.
func wantNoTmp(t *testing.T, o Options) {
	t.Helper()
	if _, err := os.Stat(o.Out + "/tmp"); err == nil {
		t.Error("tmp is still there")
	}
}

// TestIndexFails: where the index cannot be written, because somebody's folder is in the way, nothing is paid for.
func TestIndexFails(t *testing.T) {
	o, server := options(t)
	if _, err := Backfill(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	images := server.Stats().Images
	o.Requests[0].EndTimestamp = o.Requests[0].EndTimestamp.Add(time.Minute)
	path := o.Out + "/catalog.json"
	if err := errors.Join(os.Remove(path), os.MkdirAll(path+"/x", 0o777)); err != nil {
		t.Fatal(err)
	}
	s, err := Backfill(t.Context(), o)
	if StatusOf(err) != StatusRefused || !strings.Contains(err.Error(), "catalog.json is a folder") || s.Schema != "" ||
		server.Stats().Images != images {
		t.Errorf("%v, %+v", err, s)
	}
	wantNoTmp(t, o)
}

func TestBackfill(t *testing.T) {
	for _, runner := range []string{"prism", "direct"} {
		t.Run(runner, func(t *testing.T) {
			o, server := options(t)
			o.Runner = runner
			var job, last Progress
			o.Progress = func(p Progress) {
				if last = p; p.Receipts == 0 {
					job = p
				}
			}
			s, err := Backfill(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if s.Samples != 100 || s.Frames != 80 || s.Gaps[frame.NoMedia] != 20 || s.Fetched.Samples != 100 || s.Shards != 1 {
				t.Errorf("%+v", s)
			}
			if s.GetImagesCalls == nil || *s.GetImagesCalls != int64(server.Stats().GetImagesCalls) {
				t.Errorf("calls are %v, the service saw %d", s.GetImagesCalls, server.Stats().GetImagesCalls)
			}
			if job.Done.Frames != 80 || job.Samples != 100 || last.Receipts != 0 { // the job has sealed them
				t.Errorf("the last progress is %+v, then %+v", job, last)
			}
			if files, err := filepath.Glob(o.Out + "/index/*/*.parquet"); len(files) != 1 || err != nil {
				t.Errorf("the index has the files %v, %v", files, err)
			}
			wantNoTmp(t, o)
			s, err = Backfill(t.Context(), o)
			if err != nil || s.Frames != 80 || s.Fetched.Samples != 0 || s.Shards != 1 || s.SkippedShards != 1 ||
				*s.GetImagesCalls != 0 {
				t.Errorf("again: %+v, %v", s, err)
			}
			wantNoTmp(t, o)
		})
	}
}

// A receipt that was cut short is as good as none: what its shard's file does not have is asked
// for again, and nothing else.
func TestBackfillMendsADamagedReceipt(t *testing.T) {
	o, _ := options(t)
	if _, err := Backfill(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	whole := shardtest.Tree(t, o.Out)
	book := ledger.Open(o.Out)
	for recorded, err := range book.All(t.Context()) {
		if err == nil {
			err = book.PutNew(t.Context(), recorded.Receipt)
		}
		loose := ledger.Entry{Span: recorded.Entry.Span}
		if err = errors.Join(err, os.Truncate(filepath.Join(o.Out, loose.Path()), 100)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.RemoveAll(o.Out+"/sealed"), os.RemoveAll(o.Out+"/index")); err != nil {
		t.Fatal(err)
	}
	if s, err := Backfill(t.Context(), o); err != nil || s.Fetched.Samples != 20 || s.Samples != 100 {
		t.Errorf("%+v, %v", s, err)
	}
	shardtest.EqualTrees(t, shardtest.Tree(t, o.Out), whole, "mended")
}

func TestBackfillErrors(t *testing.T) {
	o, _ := options(t, kvstest.Fault{Kind: "endpoint_expired", Rate: 1})
	var job *JobError
	s, err := Backfill(t.Context(), o)
	if !errors.As(err, &job) || !strings.HasPrefix(job.Cause, "reading cam at ") || strings.Contains(job.Cause, "\n") ||
		s.Samples != 100 {
		t.Errorf("a job that fails: %+v, %v", s, err)
	}
	wantNoTmp(t, o)
	o.Read.KeepGoing = true
	var incomplete *IncompleteError
	if s, err = Backfill(t.Context(), o); !errors.As(err, &incomplete) || incomplete.Failed != 100 ||
		s.Gaps[frame.Failed] != 100 {
		t.Errorf("a job that keeps going: %+v, %v", s, err)
	}
	wantNoTmp(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = Backfill(ctx, o); !errors.Is(err, ErrInterrupted) {
		t.Errorf("a context that has ended: %v", err)
	}
}

func TestValidateTellsAll(t *testing.T) {
	err := Options{
		Requests: []kvsio.Request{{
			StreamName: "cam", ImageSelectorType: kvsio.ServerTimestamp,
			EndTimestamp: start.Add(2 * time.Hour),
		}},
		Read:   kvsio.ReadParams{MaxInFlight: -1, CallParams: kvsio.CallParams{QuotaShare: 2}},
		Runner: "nope",
		Now:    start,
	}.Validate()
	var early *UsageError
	if !errors.As(err, &early) || len(early.Faults) != 5 {
		t.Errorf("%v: want 5 faults", err)
	}
	for _, want := range []string{
		"request 1: ", "in the future", "MaxInFlight", "QuotaShare", "Out is not set",
		`Runner is "nope"`,
	} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v: it must contain %q", err, want)
		}
	}
	// Asked again, an unknown runner is still unknown.
	if CheckRunner("nope") == nil || CheckRunner("prism") != nil || CheckRunner("direct") != nil {
		t.Error("CheckRunner is wrong")
	}
}
