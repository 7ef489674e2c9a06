package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/kvsframes/kvsframes/io/store"
)

// checkBeamFlags says what is wrong with those of Beam's flags that would
// otherwise be found out on a cluster, late, or never.
func checkBeamFlags(runner string) []error {
	var errs []error
	if *jobopts.Async && workersAreHere(runner) {
		errs = append(errs, fmt.Errorf("--async is set, but the workers are of this process (--runner %s, "+
			"--environment_type %q): they end with it; leave --async out, or submit to a cluster", runner,
			*jobopts.EnvironmentType))
	}
	return append(errs, checkFlinkFlags(runner)...)
}

func checkFlinkFlags(runner string) (errs []error) {
	if !isFlink(runner) {
		return nil
	}
	if *jobopts.Endpoint == "" {
		errs = append(errs, errors.New("--endpoint is not set: it must be the HOST:PORT of Beam's job server for Flink, "+
			"such as localhost:8099"))
	}
	if *jobopts.Parallelism < 1 {
		errs = append(errs, errors.New("--parallelism is not set: Flink would run the job in one slot; it must be the "+
			"number of slots to use, such as 4"))
	}
	return append(errs, checkEnvironment()...)
}

// checkEnvironment says what is wrong with the environment of workers. Beam takes
// a type that it does not know for DOCKER.
func checkEnvironment() []error {
	switch strings.ToUpper(*jobopts.EnvironmentType) {
	case "", "DOCKER", "LOOPBACK":
		return nil
	case "PROCESS":
		var process pipepb.ProcessPayload
		if err := protojson.Unmarshal([]byte(*jobopts.EnvironmentConfig), &process); err != nil || process.Command == "" {
			return []error{fmt.Errorf("--environment_config is %q: with --environment_type PROCESS it must name the program "+
				"that starts workers on the cluster's machines, as {\"command\": \"/usr/local/bin/kvsframes\"}",
				*jobopts.EnvironmentConfig)}
		}
		return nil
	case "EXTERNAL":
		if *jobopts.EnvironmentConfig == "" {
			return []error{errors.New("--environment_config is not set: with --environment_type EXTERNAL it must be the " +
				"HOST:PORT of a worker pool")}
		}
		return nil
	}
	return []error{fmt.Errorf("--environment_type is %q: it must be PROCESS, DOCKER, EXTERNAL or LOOPBACK",
		*jobopts.EnvironmentType)}
}

// toCluster readies a job for workers that are not of this process, but read and
// write the same places: it makes sure that there is somebody to give it to, and
// sets the worker binary. Left alone Beam would build one, from source that users
// of a binary do not have.
func toCluster(ctx context.Context, runner string, places ...string) error {
	if isDataflow(runner) || isUniversal(runner) && !jobopts.IsLoopback() {
		return setWorkerBinary()
	}
	if !isFlink(runner) {
		return nil
	}
	if err := JobServer(*jobopts.Endpoint).check(ctx); err != nil {
		return err
	}
	if jobopts.IsLoopback() {
		return nil
	}
	for _, place := range places {
		if store.OfThisMachine(place) {
			log.Warnf(ctx, "%s is a folder: unless it is one and the same on all machines of the cluster, the job will fail "+
				"on those that do not find the dataset there; a place in a bucket is the same everywhere", place)
		}
	}
	return setWorkerBinary()
}

func isUniversal(runner string) bool {
	return runner == "universal" || runner == "PortableRunner" || runner == "portable"
}

func isFlink(runner string) bool { return runner == "flink" || runner == "FlinkRunner" }
