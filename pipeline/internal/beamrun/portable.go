package beamrun

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
)

// portable is a runner behind a Beam job server, at Beam's --endpoint, as universal is.
type portable struct {
	undemanding
	name string
}

func (portable) IsLocal() bool { return jobopts.IsLoopback() }

func (r portable) CheckFlags() error {
	return errors.Join(r.undemanding.CheckFlags(), checkEndpoint("a Beam job server"))
}

// checkEndpoint returns an error where Beam's --endpoint does not name a server.
func checkEndpoint(server string) error {
	if *jobopts.Endpoint == "" {
		return fmt.Errorf("--endpoint is not set: it must be the HOST:PORT of %s, such as localhost:8099", server)
	}
	return nil
}

func (r portable) Prepare(context.Context, ...string) error {
	if r.IsLocal() {
		return nil
	}
	return setWorkerBinary()
}

// Run has the job server, and a Flink cluster behind it, cancel the job where ctx ends:
// they would not hear of it.
func (r portable) Run(ctx context.Context, name string, p *beam.Pipeline) (string, error) {
	base := context.WithoutCancel(ctx)
	defer nameJob(name)()
	job := newSubmission(base, JobServer(*jobopts.Endpoint), *jobopts.JobName)
	run := func() (beam.PipelineResult, error) { return beam.Run(base, r.name, p) }
	if r.IsLocal() {
		run = func() (beam.PipelineResult, error) { return runHere(base, p) }
	}
	result, err := await(ctx, run, func(context.Context) bool { job.cancel(base); return false })
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil && job.server != "":
		return "", job.failed(base, err)
	case err != nil || !*jobopts.Async:
		return "", err
	case job.server == "":
		return result.JobID(), nil
	}
	return job.id(base)
}
