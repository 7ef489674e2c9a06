package beamrun

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/flink" // registers itself
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/kvsframes/kvsframes/io/store"
)

// flink is a cluster behind Beam's job server for Flink.
type flink struct{ portable }

// CheckFlags looks at what would otherwise be found out on a cluster, late, or never.
func (r flink) CheckFlags() error {
	return errors.Join(r.undemanding.CheckFlags(), checkEndpoint("Beam's job server for Flink"), checkParallelism(),
		checkEnvironment())
}

func checkParallelism() error {
	is := strconv.Itoa(*jobopts.Parallelism)
	switch {
	case *jobopts.Parallelism >= 1:
		return nil
	case is == flag.Lookup("parallelism").DefValue:
		is = "not set"
	}
	return fmt.Errorf("--parallelism is %s: Flink would run the job in one slot; it must be the number of slots to use, "+
		"such as 4", is)
}

// Prepare also asks whether there is a job server, and warns of folders.
func (r flink) Prepare(ctx context.Context, places ...string) error {
	if err := JobServer(*jobopts.Endpoint).check(ctx); err != nil {
		return err
	}
	if r.IsLocal() {
		return nil
	}
	for _, place := range places {
		if store.OfThisMachine(place) {
			log.Warnf(ctx, "%s is a folder: unless it is one and the same on all machines of the cluster, the job will fail "+
				"on those that do not find the dataset there; a place in a bucket is the same everywhere", place)
		}
	}
	return r.portable.Prepare(ctx)
}

// checkEnvironment says what is wrong with the environment of workers. Beam takes
// a type that it does not know for DOCKER.
func checkEnvironment() error {
	switch strings.ToUpper(*jobopts.EnvironmentType) {
	case "", "DOCKER", "LOOPBACK":
		return nil
	case "PROCESS":
		var process pipepb.ProcessPayload
		if err := protojson.Unmarshal([]byte(*jobopts.EnvironmentConfig), &process); err != nil || process.Command == "" {
			return fmt.Errorf("--environment_config is %q: with --environment_type PROCESS it must name the program "+
				"that starts workers on the cluster's machines, as {\"command\": \"/usr/local/bin/kvsframes\"}",
				*jobopts.EnvironmentConfig)
		}
		return nil
	case "EXTERNAL":
		if *jobopts.EnvironmentConfig == "" {
			return errors.New("--environment_config is not set: with --environment_type EXTERNAL it must be the " +
				"HOST:PORT of a worker pool")
		}
		return nil
	}
	return fmt.Errorf("--environment_type is %q: it must be PROCESS, DOCKER, EXTERNAL or LOOPBACK",
		*jobopts.EnvironmentType)
}
