package beamrun

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/gcpopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/dataflow" // registers itself
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/dataflow/dataflowlib"
	df "google.golang.org/api/dataflow/v1b3"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/store"
)

// dataflow runs jobs on Google Cloud.
type dataflow struct{}

// beamFlag returns the value of a flag that Beam's runner for Dataflow defines: it
// keeps them to itself.
func beamFlag(name string) string { return flag.Lookup(name).Value.String() }

func (dataflow) IsLocal() bool { return false }

func (dataflow) Prepare(context.Context, ...string) error { return setWorkerBinary() }

// CheckPlace refuses a dataset that nobody would find: each worker would write its part
// onto its own disk.
func (dataflow) CheckPlace(field, place string) error {
	if place == "" || !store.OfThisMachine(place) {
		return nil
	}
	return fault.New(field, "a place of this machine, and Dataflow's workers are others",
		"gs://BUCKET/PREFIX or s3://BUCKET/PREFIX")
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

// CheckFlags looks at dataflowFlags, and at what does not go together.
func (dataflow) CheckFlags() error {
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

// Run cancels the job where ctx ends: on Google Cloud it would go on.
func (dataflow) Run(ctx context.Context, name string, p *beam.Pipeline) (string, error) {
	base := context.WithoutCancel(ctx)
	defer nameJob(name)()
	result, err := await(ctx, func() (beam.PipelineResult, error) { return beam.Run(base, "dataflow", p) },
		func(bound context.Context) bool { return cancelDataflow(bound, *jobopts.JobName) == nil })
	template := beamFlag("template_location")
	switch {
	case err != nil && result != nil:
		return "", dataflowError(base, result.JobID(), err)
	case err != nil || IsDryRun():
		return "", err
	case template != "":
		return template, nil
	case *jobopts.Async:
		return result.JobID(), nil
	}
	return "", nil
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
	ctx, stop := context.WithTimeout(ctx, Grace)
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
	return fmt.Errorf("%w: %s", err, CauseOf(errors.New(log.JobMessages[0].MessageText)))
}
