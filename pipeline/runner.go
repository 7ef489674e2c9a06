package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	//lint:ignore SA1019 Beam would have prism in its place, which anybody can connect to
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" // registers itself
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/flink"  // registers itself
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"    // registers itself, and universal

	"github.com/kvsframes/kvsframes/internal/fault"
)

// grace is how long an interrupted job may take to end what it has under way.
const grace = 10 * time.Second

var runners struct {
	sync.Mutex
	unknown map[string]bool
}

// CheckRunner returns an error where no runner of that name is linked into the
// program, or Beam's flags are not what the runner needs. The empty name stands
// for the default.
func CheckRunner(name string) error {
	if err := checkLinked(name); err != nil {
		return err
	}
	if isDataflow(name) {
		return checkDataflow()
	}
	if beamFlag("dry_run") == "true" {
		return errors.New("--dry_run is for --runner dataflow: other runners would run the job")
	}
	return nil
}

func checkLinked(name string) error {
	if name == "" {
		return nil
	}
	runners.Lock()
	defer runners.Unlock()
	if !runners.unknown[name] && registered(name) {
		return nil
	}
	if runners.unknown == nil {
		runners.unknown = make(map[string]bool)
	}
	runners.unknown[name] = true
	return fault.New("Runner", strconv.Quote(name)+", which is not linked into this program",
		"direct, prism, flink, dataflow, or universal with Beam's --endpoint")
}

// registered finds out by a second registration, which Beam refuses: it cannot be
// asked, and it ends the process at a runner that it does not know.
func registered(name string) (known bool) {
	defer func() { known = recover() != nil }()
	beam.RegisterRunner(name, func(context.Context, *beam.Pipeline) (beam.PipelineResult, error) {
		return nil, checkLinked(name)
	})
	return false
}

// run runs p until it ends or ctx does, or where that was asked for until it is
// submitted. The name begins the job's, where none is given.
//
// Only the direct runner may see ctx end: prism panics when the client that
// submitted a job goes away, and other runners would not hear of it. Their job
// service, and a Flink cluster behind it, is asked to cancel the job instead.
func run(ctx context.Context, runner, name string, p *beam.Pipeline) (beam.PipelineResult, error) {
	if isDirect(runner) {
		return await(ctx, begin(ctx, runner, p), func() {})
	}
	base := context.WithoutCancel(ctx)
	if *jobopts.JobName == "" {
		*jobopts.JobName = fmt.Sprintf("kvsframes-%s-%d", name, time.Now().UnixNano())
		defer func() { *jobopts.JobName = "" }()
	}
	if isDataflow(runner) {
		return runDataflow(ctx, p)
	}
	if isPrism(runner) && *jobopts.Endpoint == "" {
		startPrism(base)
	}
	job := newSubmission(base, JobServer(*jobopts.Endpoint), *jobopts.JobName)
	result, err := await(ctx, begin(base, runner, p), func() { job.cancel(base) })
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && job.server != "":
		return result, job.failed(base, err)
	case err == nil && *jobopts.Async && job.server != "": // Dataflow has no job server, and tells the ID
		return job.result(base)
	}
	return result, err
}

// startPrism starts prism's server in this process, and sets Beam's --endpoint: so it
// is known before there is a job. An empty pipeline is an error, but prism starts its
// server first. Nothing can stop that, or make it listen on the loopback only.
func startPrism(ctx context.Context) {
	log.Warn(ctx, "prism, the runner that you asked for, opens a Beam job service on all network interfaces until this "+
		"process ends, "+
		"and runs any program that whoever reaches it asks for, as this user; --runner direct opens nothing")
	prism.Execute(ctx, beam.NewPipeline())
}

// await waits for a job to end. Where ctx ends first, it calls cancel again and again,
// since the job may not have begun yet, and gives up after a while.
func await(ctx context.Context, done <-chan outcome, cancel func()) (beam.PipelineResult, error) {
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
	}
	stopped := time.After(grace)
	for {
		cancel()
		select {
		case <-done:
			return nil, ctx.Err()
		case <-stopped:
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// outcome is what Beam's Run returned.
type outcome struct {
	result beam.PipelineResult
	err    error
}

// begin runs p in the background.
func begin(ctx context.Context, runner string, p *beam.Pipeline) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		result, err := execute(ctx, runner, p)
		done <- outcome{result, err}
	}()
	return done
}

func execute(ctx context.Context, runner string, p *beam.Pipeline) (beam.PipelineResult, error) {
	if jobopts.IsLoopback() && !isDirect(runner) {
		return runHere(ctx, p)
	}
	return beam.Run(ctx, runner, p)
}

// workersAreHere reports whether a runner's workers are of this process.
func workersAreHere(runner string) bool {
	return isDirect(runner) || isPrism(runner) || jobopts.IsLoopback()
}

func isDirect(runner string) bool { return runner == "direct" || runner == "DirectRunner" }

func isPrism(runner string) bool { return runner == "prism" || runner == "PrismRunner" }
