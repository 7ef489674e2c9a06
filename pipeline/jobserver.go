package pipeline

import (
	"context"

	"github.com/kvsframes/kvsframes/pipeline/internal/beamrun"
)

// JobSchema names the form of a Job as JSON.
const JobSchema = "kvsframes.job/1"

// JobServer is the HOST:PORT of a Beam job server, Beam's --endpoint. A job that
// it was given goes on whoever submitted it, and it knows the job as long as
// it runs itself. The errors of its methods are a [*UsageError], but for what Cancel
// says.
type JobServer string

// Job is a job as its job server knows it.
type Job struct {
	Schema string `json:"schema"`
	ID     string `json:"job_id"`
	Name   string `json:"job_name"`
	State  string `json:"state"` // Beam's: STARTING, RUNNING, DONE, FAILED, CANCELLED, …
	Cause  string `json:"cause"` // one line, where the job has failed
}

// Job says how a job is.
func (s JobServer) Job(ctx context.Context, id string) (Job, error) {
	job, err := beamrun.JobServer(s).Job(ctx, id)
	return known(job), usage(err)
}

// Cancel ends a job, on its Flink cluster, too, which may take it a moment. What it
// wrote stays valid. A job that is over is an error; and a cluster that may go on
// with the job is one that is no *UsageError.
func (s JobServer) Cancel(ctx context.Context, id string) (Job, error) {
	job, err := beamrun.JobServer(s).Cancel(ctx, id)
	if err == nil {
		return known(job), job.CancelOnCluster(ctx)
	}
	return known(job), usage(err)
}

func known(job beamrun.Job) Job { return Job{JobSchema, job.ID, job.Name, job.State, job.Cause} }
