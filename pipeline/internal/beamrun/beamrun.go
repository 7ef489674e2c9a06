// Package beamrun knows Beam's runners: what each of them needs before a job, and how
// its jobs are run, awaited and cancelled.
package beamrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"

	"github.com/kvsframes/kvsframes/internal/fault"
)

// Grace is how long an interrupted job may take to end what it has under way.
const Grace = 10 * time.Second

// Runner is what a pipeline asks of one of Beam's runners.
type Runner interface {
	// IsLocal reports whether the workers are of this process.
	IsLocal() bool

	// CheckFlags returns an error that names everything that is wrong with Beam's flags
	// for the runner.
	CheckFlags() error

	// CheckPlace returns an error where the workers do not all find the place of a field.
	CheckPlace(field, place string) error

	// Prepare makes sure that there is somebody to give a job to, and sets Beam's
	// --worker_binary where workers are started from one. The job reads and writes places.
	Prepare(ctx context.Context, places ...string) error

	// Run runs p until it ends or ctx does, and returns no ID then. Where Beam's flags
	// ask for a job that goes on without this process, it returns what the job is known
	// by as soon as it is submitted: its ID, or the URL of its template. name begins the
	// job's name, where Beam's --job_name gives none.
	Run(ctx context.Context, name string, p *beam.Pipeline) (id string, err error)
}

// Named returns the runner of a name; the empty name stands for direct. What is
// unknown is taken for a runner that takes its jobs as universal does.
func Named(name string) Runner {
	switch name {
	case "", "direct", "DirectRunner":
		return direct{}
	case "prism", "PrismRunner":
		return prism{portable{name: name}}
	case "flink", "FlinkRunner":
		return flink{portable{name: name}}
	case "dataflow", "DataflowRunner":
		return dataflow{}
	}
	return portable{name: name}
}

// Check returns an error where no runner of that name is linked into the program, or
// Beam's flags are not what the runner needs. The empty name stands for direct.
func Check(name string) error {
	if err := checkLinked(cmp.Or(name, "direct")); err != nil {
		return err
	}
	return Named(name).CheckFlags()
}

// IsDryRun reports whether Run only prints the job: Beam's --dry_run is set, which
// CheckFlags accepts from Dataflow alone.
func IsDryRun() bool { return beamFlag("dry_run") == "true" }

// undemanding is a runner that needs no flags and works anywhere.
type undemanding struct{}

func (undemanding) CheckPlace(string, string) error          { return nil }
func (undemanding) Prepare(context.Context, ...string) error { return nil }
func (undemanding) CheckFlags() error {
	if IsDryRun() {
		return errors.New("--dry_run is for --runner dataflow: other runners would run the job")
	}
	return nil
}

var unlinked = struct {
	sync.Mutex
	names map[string]bool
}{names: make(map[string]bool)}

func checkLinked(name string) error {
	unlinked.Lock()
	defer unlinked.Unlock()
	if !unlinked.names[name] && registered(name) {
		return nil
	}
	unlinked.names[name] = true
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

// nameJob gives a job a name that begins with name, unless Beam's --job_name gives it
// one. forget takes it away again.
func nameJob(name string) (forget func()) {
	if *jobopts.JobName != "" {
		return func() {}
	}
	*jobopts.JobName = fmt.Sprintf("kvsframes-%s-%d", name, time.Now().UnixNano())
	return func() { *jobopts.JobName = "" }
}

// await runs a job until it ends. Where ctx ends first, it calls cancel again and
// again, since the job may not have begun yet, until the job is over, or cancel says
// so, or the context that cancel gets ends.
func await(ctx context.Context, job func() (beam.PipelineResult, error), cancel func(context.Context) (over bool)) (
	beam.PipelineResult, error,
) {
	var result beam.PipelineResult
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		result, err = job()
	}()
	select {
	case <-done:
		return result, err
	case <-ctx.Done():
	}
	bound, stop := context.WithTimeout(context.WithoutCancel(ctx), Grace)
	defer stop()
	for !cancel(bound) {
		select {
		case <-done:
			return nil, ctx.Err()
		case <-bound.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil, ctx.Err()
}
