//go:build flink

package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/transforms/stats"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/kvsframes/kvsframes/internal/sockets"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

func init() {
	register.Function2x1(minuteOf)
	register.DoFn2x1[string, int, error](&keepCount{})
}

// Flink in the job server, workers in the submitter.
func TestFlinkEmbedded(t *testing.T) {
	f := startFlink(t, "embed")
	here := []string{
		"--runner", "flink", "--endpoint", f.job, "--parallelism", "2", "--environment_type", "LOOPBACK",
		"--json",
	}
	w := newWorld(t, cameras(3, 0))
	t.Run("backfill", func(t *testing.T) {
		w.must(0, append(ask("out", 20, names(3)...), here...)...)
		images := w.server.Stats().Images
		if least := w.same("out", 20, names(3)...); images != least {
			t.Errorf("%d images were served, %d to the direct runner", images, least)
		}
	})
	t.Run("pack", func(t *testing.T) {
		pack := func(out string, more ...string) map[string]string {
			w.must(0, append([]string{
				"pack", "out", out, "--shuffle-seed", "7", "--samples-per-file", "100", "--split-by", "sample", "--splits",
				"train=0.8,val=0.2", "--json",
			}, more...)...)
			return w.tree(out)
		}
		got, want := pack("set", here...), pack("local")
		if !maps.Equal(got, want) || len(want) != 10+3+3 {
			t.Errorf("files %v, on the direct runner %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	})
	t.Run("transforms", func(t *testing.T) {
		small := func(out string, more ...string) map[string]string {
			w.must(0, slices.Concat(ask(out, 20, names(3)...), []string{"--resize", "64x64:crop", "--dedupe", "4"}, more)...)
			return w.tree(out)
		}
		if got, want := small("small", here...), small("alike"); !maps.Equal(got, want) {
			t.Errorf("files %v, on the direct runner %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	})
	t.Run("listeners", func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		cmd := w.start(&stdout, &stderr, append(ask("late", 90, names(3)...), here...)...)
		until(t, "shards are written", func() bool { return w.receipts("late") > 0 })
		mine, err := sockets.Listening(cmd.Process.Pid)
		if err != nil || len(mine) != 1 || !mine[0].Addr().IsLoopback() {
			t.Fatalf("it accepts connections at %v, %v, want one of the loopback", mine, err)
		}
		conn, err := grpc.NewClient("passthrough:///"+mine[0].String(),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = fnpb.NewBeamFnExternalWorkerPoolClient(conn).StartWorker(t.Context(),
			&fnpb.StartWorkerRequest{WorkerId: "1-1"})
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("somebody else wanted a worker, and it says %v", err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, &stderr)
		}
	})
	t.Run("windows", func(t *testing.T) {
		testWindows(t, f, "LOOPBACK", "")
	})
	t.Run("composed", func(t *testing.T) {
		w := newWorld(t, cameras(2, 0))
		w.setFlags(t, f, "LOOPBACK", "")
		composed{"flink", w.dir}.test(t)
	})
}

// testOther stages a binary that is not the boot program's own: this test's.
func (f *flink) testOther(t *testing.T) {
	testWindows(t, f, "PROCESS", fmt.Sprintf(`{"command": %q}`, command()))
}

// Frames have their sample's time: each falls into its own minute, once.
func testWindows(t *testing.T, f *flink, environment, config string) {
	w := newWorld(t, cameras(2, 0))
	w.setFlags(t, f, environment, config)
	p, s := beam.NewPipelineWithRoot()
	var requests []kvsio.Request
	for i := range 2 {
		requests = append(requests, kvsio.Request{
			StreamName: fmt.Sprintf("cam%d", i), ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: start,
			EndTimestamp: start.Add(20 * time.Minute), SamplingInterval: 3 * time.Second, Format: frame.JPEG,
		})
	}
	frames, _ := kvsio.Read(s, kvsio.ReadParams{PlanParams: kvsio.PlanParams{ShardSamples: 10}}, requests...)
	minutes := beam.ParDo(s, minuteOf, beam.WindowInto(s, window.NewFixedWindows(time.Minute), frames))
	beam.ParDo0(s, &keepCount{Dir: w.dir}, stats.Count(s, minutes))
	if _, err := beam.Run(context.Background(), "flink", p); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		for minute := range 20 {
			name := fmt.Sprintf("cam%d-%02d", i, minute)
			if n, err := os.ReadFile(filepath.Join(w.dir, name)); string(n) != "20" {
				t.Errorf("%s has %q frames, want 20 (%v)", name, n, err)
			}
		}
	}
	if kept, _ := filepath.Glob(w.dir + "/cam*"); len(kept) != 40 {
		t.Errorf("%d windows, want 40", len(kept))
	}
}

// setFlags has pipelines of this process run on Flink, and find the world's stand-in.
func (w *world) setFlags(t *testing.T, f *flink, environment, config string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
		"AWS_ENDPOINT_URL_KINESIS_VIDEO": w.url,
	} {
		t.Setenv(name, value)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	setting(t, jobopts.Endpoint, f.job)
	setting(t, jobopts.Parallelism, 4)
	setting(t, jobopts.EnvironmentType, environment)
	setting(t, jobopts.EnvironmentConfig, config)
	setting(t, jobopts.WorkerBinary, self)
}

func setting[T any](t *testing.T, flag *T, value T) {
	t.Helper()
	before := *flag
	t.Cleanup(func() { *flag = before })
	*flag = value
}

func minuteOf(w beam.Window, f frame.Frame) string {
	return fmt.Sprintf("%s-%02d", f.Stream, w.MaxTimestamp().ToTime().Sub(start).Truncate(time.Minute)/time.Minute)
}

// keepCount writes a minute's count into a file, so that a test sees what workers
// in other processes found.
type keepCount struct{ Dir string }

func (fn *keepCount) ProcessElement(minute string, n int) error {
	file, err := os.OpenFile(filepath.Join(fn.Dir, minute), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err // there were two
	}
	fmt.Fprint(file, n)
	return file.Close()
}
