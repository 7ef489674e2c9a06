package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/gcpopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/dataflow" // registers itself
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/dataflow/dataflowlib"
	df "google.golang.org/api/dataflow/v1b3"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/store"
)

func isDataflow(runner string) bool { return runner == "dataflow" || runner == "DataflowRunner" }

// beamFlag returns the value of a flag of Beam's.
func beamFlag(name string) string {
	f := flag.Lookup(name)
	if f == nil {
		return ""
	}
	return f.Value.String()
}

// dataflowFlags are what Dataflow needs of Beam's flags, and those that Beam looks
// at too late: some when all else is done, some by a panic.
var dataflowFlags = []struct {
	name, allowed string
	valid         func(value string) bool
}{
	{"project", "the Google Cloud project of the job", given},
	{"region", "where the workers run, such as europe-west1", given},
	{"staging_location", "a place for the worker binary and the job, gs://BUCKET/PREFIX", inBucket},
	{"temp_location", "gs://BUCKET/PREFIX", unsetOr(inBucket)},
	{"template_location", "gs://BUCKET/PREFIX", unsetOr(inBucket)},
	{"autoscaling_algorithm", "NONE or THROUGHPUT_BASED", unsetOr(oneOf("NONE", "THROUGHPUT_BASED"))},
	{
		"flexrs_goal", "FLEXRS_SPEED_OPTIMIZED or FLEXRS_COST_OPTIMIZED",
		unsetOr(oneOf("FLEXRS_UNSPECIFIED", "FLEXRS_SPEED_OPTIMIZED", "FLEXRS_COST_OPTIMIZED")),
	},
	{"environment_type", "DOCKER, or not set: workers are containers", unsetOr(oneOf("DOCKER"))},
	{"labels", `a JSON object of texts, such as {"team":"vision"}`, unsetOr(labels)},
	{"num_workers", "at least 0", notNegative},
	{"max_num_workers", "at least 0", notNegative},
}

func given(value string) bool { return value != "" }

func inBucket(value string) bool {
	bucket, ok := strings.CutPrefix(value, "gs://")
	return ok && bucket != "" && bucket[0] != '/'
}

func labels(value string) bool {
	var all map[string]string
	return json.Unmarshal([]byte(value), &all) == nil
}

func notNegative(value string) bool {
	n, err := strconv.Atoi(value)
	return err == nil && n >= 0
}

func oneOf(allowed ...string) func(string) bool {
	return func(value string) bool { return slices.Contains(allowed, strings.ToUpper(value)) }
}

func unsetOr(valid func(string) bool) func(string) bool {
	return func(value string) bool { return value == "" || valid(value) }
}

// checkDataflow names everything that is wrong with Beam's flags for Dataflow.
func checkDataflow() error {
	var errs []error
	for _, f := range dataflowFlags {
		value := beamFlag(f.name)
		switch {
		case f.valid(value):
		case value == "":
			errs = append(errs, fmt.Errorf("--%s is not set: it must be %s", f.name, f.allowed))
		default:
			errs = append(errs, fmt.Errorf("--%s is %q: it must be %s", f.name, value, f.allowed))
		}
	}
	least, _ := strconv.Atoi(beamFlag("num_workers"))
	if most, _ := strconv.Atoi(beamFlag("max_num_workers")); 0 < most && most < least {
		errs = append(errs, fmt.Errorf("--num_workers is %d: it must be at most --max_num_workers, which is %d", least, most))
	}
	if beamFlag("sdk_container_image") != "" && beamFlag("worker_harness_container_image") != "" {
		errs = append(errs, errors.New("--sdk_container_image and --worker_harness_container_image are both given: they "+
			"are two names of one flag, give the first"))
	}
	return errors.Join(errs...)
}

// checkPlace refuses a dataset that nobody would find: each of Dataflow's workers
// would write its part onto its own disk.
func checkPlace(runner, field, place string) error {
	if isDataflow(runner) && place != "" && store.OfThisMachine(place) {
		return fault.New(field, "a place of this machine, and Dataflow's workers are others",
			"gs://BUCKET/PREFIX or s3://BUCKET/PREFIX")
	}
	return nil
}

// dryRun reports whether Beam is to print the job and no more. Nothing is written
// then, not even that the dataset was asked for something.
func (o Options) dryRun() bool { return isDataflow(o.runner()) && beamFlag("dry_run") == "true" }

// leaves reports whether Run returns before the job is over: it goes on without this
// process, or was only described.
func (o Options) leaves() bool {
	return *jobopts.Async || isDataflow(o.runner()) && (o.dryRun() || beamFlag("template_location") != "")
}

// left returns where the job is that Run has left behind.
func (o Options) left(result beam.PipelineResult) string {
	switch template := beamFlag("template_location"); {
	case o.dryRun():
		return ""
	case isDataflow(o.runner()) && template != "":
		return template
	default:
		return result.JobID()
	}
}

// runDataflow runs p on Dataflow, until it ends or ctx does.
func runDataflow(ctx context.Context, p *beam.Pipeline) (beam.PipelineResult, error) {
	base := context.WithoutCancel(ctx)
	done := begin(base, "dataflow", p)
	select {
	case o := <-done:
		if o.err != nil && o.result != nil {
			o.err = dataflowError(base, o.result.JobID(), o.err)
		}
		return o.result, o.err
	case <-ctx.Done():
	}
	// The job may not have begun yet: it is cancelled when it has.
	bound, stop := context.WithTimeout(base, grace)
	defer stop()
	for bound.Err() == nil && cancelDataflow(bound, *jobopts.JobName) != nil {
		select {
		case <-done:
			return nil, ctx.Err()
		case <-bound.Done():
		case <-time.After(time.Second):
		}
	}
	return nil, ctx.Err()
}

// cancelDataflow asks Dataflow to cancel the active job of a name.
func cancelDataflow(ctx context.Context, name string) error {
	client, err := dataflowlib.NewClient(ctx, beamFlag("dataflow_endpoint"))
	if err != nil {
		return err
	}
	project, region := *gcpopts.Project, *gcpopts.Region
	job, err := dataflowlib.GetRunningJobByName(client, project, region, name)
	if err != nil {
		return err
	}
	_, err = client.Projects.Locations.Jobs.Update(project, region, job.Id,
		&df.Job{RequestedState: "JOB_STATE_CANCELLED"}).Context(ctx).Do()
	return err
}

// dataflowError adds what the job's log says to an error of Beam's, which knows no
// more than that the job failed.
func dataflowError(ctx context.Context, job string, err error) error {
	if job == "" {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, grace)
	defer stop()
	client, failed := dataflowlib.NewClient(ctx, beamFlag("dataflow_endpoint"))
	if failed != nil {
		return err
	}
	log, failed := client.Projects.Locations.Jobs.Messages.List(*gcpopts.Project, *gcpopts.Region, job).
		MinimumImportance("JOB_MESSAGE_ERROR").Context(ctx).Do()
	if failed != nil || len(log.JobMessages) == 0 {
		return err
	}
	return fmt.Errorf("%w: %s", err, causeOf(errors.New(log.JobMessages[0].MessageText)))
}
