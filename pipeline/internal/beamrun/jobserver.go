package beamrun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/internal/outside"
)

// answerTime is how long a job server may take to answer.
const answerTime = 5 * time.Second

// JobServer is the HOST:PORT of a Beam job server, Beam's --endpoint.
type JobServer string

// Job is a job as its job server knows it.
type Job struct {
	ID, Name string
	State    string // Beam's
	Cause    string // one line, where the job has failed

	flink flinkJob
}

// over says that the job does nothing any more, however it ended.
func (j Job) over() bool {
	return slices.Contains([]string{"DONE", "FAILED", "CANCELLED", "DRAINED", "UPDATED"}, j.State)
}

// Job says how a job is.
func (s JobServer) Job(ctx context.Context, id string) (job Job, err error) {
	err = s.ask(ctx, func(ctx context.Context, service jobpb.JobServiceClient) error {
		job, err = s.find(ctx, service, id)
		if job.State == "FAILED" {
			job.Cause = CauseOf(lastError(ctx, service, id))
		}
		return err
	})
	return job, s.explain(err)
}

// Cancel makes the job server end a job. On a Flink cluster it may go on: see
// [Job.CancelOnCluster]. A job that is over is an error.
func (s JobServer) Cancel(ctx context.Context, id string) (Job, error) {
	job, err := s.Job(ctx, id)
	if err != nil {
		return job, err
	}
	if job.over() {
		return job, fmt.Errorf("job %s is %s: there is nothing to cancel", id, job.State)
	}
	job.flink.arrive(ctx) // what is on its way there would not hear of it
	err = s.ask(ctx, func(ctx context.Context, service jobpb.JobServiceClient) error {
		answer, err := service.Cancel(ctx, &jobpb.CancelJobRequest{JobId: id})
		job.State = answer.GetState().String()
		return err
	})
	return job, s.explain(err)
}

// CancelOnCluster ends a job that was cancelled on its Flink cluster, too, where it has
// one, which may take a moment.
func (j Job) CancelOnCluster(ctx context.Context) error { return j.flink.cancel(ctx) }

// check makes sure that there is a job server.
func (s JobServer) check(ctx context.Context) error {
	_, err := s.Jobs(ctx)
	return s.explain(err)
}

// Jobs returns all jobs that the job server knows.
func (s JobServer) Jobs(ctx context.Context) (jobs []Job, err error) {
	err = s.ask(ctx, func(ctx context.Context, service jobpb.JobServiceClient) error {
		jobs, err = s.list(ctx, service)
		return err
	})
	return jobs, err
}

// ask makes calls of a job server, which answers in time or not at all.
func (s JobServer) ask(ctx context.Context, calls func(context.Context, jobpb.JobServiceClient) error) error {
	ctx, stop := context.WithTimeout(ctx, answerTime)
	defer stop()
	conn, err := grpc.NewClient("passthrough:///"+string(s), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	return calls(ctx, jobpb.NewJobServiceClient(conn))
}

// explain says what is wrong with a job server that does not answer.
func (s JobServer) explain(err error) error {
	switch status.Code(err) {
	case codes.OK:
		return nil
	case codes.Unavailable, codes.DeadlineExceeded, codes.Unimplemented:
		return fault.Of("JobServer", " is %q: there is no Beam job server: %s; it must be the HOST:PORT of one, such as "+
			"localhost:8099 (not Flink's own)", string(s), outside.Text(status.Convert(err).Message()))
	}
	return outside.Error(err)
}

func (s JobServer) list(ctx context.Context, service jobpb.JobServiceClient) ([]Job, error) {
	answer, err := service.GetJobs(ctx, &jobpb.GetJobsRequest{})
	jobs := make([]Job, len(answer.GetJobInfo()))
	for i, info := range answer.GetJobInfo() {
		jobs[i] = Job{
			ID: info.GetJobId(), Name: nameOf(info), State: info.GetState().String(), flink: s.flinkJob(info),
		}
	}
	return jobs, err
}

// nameOf returns the name that a job was submitted with: Beam's Java job servers
// make another one of it.
func nameOf(info *jobpb.JobInfo) string {
	if name := info.GetPipelineOptions().GetFields()["beam:option:app_name:v1"].GetStringValue(); name != "" {
		return name
	}
	return info.GetJobName()
}

func (s JobServer) find(ctx context.Context, service jobpb.JobServiceClient, id string) (Job, error) {
	jobs, err := s.list(ctx, service)
	if err != nil {
		return Job{}, err
	}
	var known []string
	for _, job := range jobs {
		if job.ID == id {
			return job, nil
		}
		known = append(known, outside.Text(fmt.Sprintf("%s (%s)", job.ID, job.State)))
	}
	if known == nil {
		return Job{}, fmt.Errorf("the job server knows no job %q, nor any other: it forgets them when it is started anew", id)
	}
	return Job{}, fmt.Errorf("the job server knows no job %q: it must be one of %s", id, strings.Join(known, ", "))
}

// lastError returns the last error that the job server reports of a job that has failed.
func lastError(ctx context.Context, service jobpb.JobServiceClient, id string) error {
	last := errors.New("the job server does not say why")
	told, err := service.GetMessageStream(ctx, &jobpb.JobMessagesRequest{JobId: id})
	for err == nil {
		var m *jobpb.JobMessagesResponse
		if m, err = told.Recv(); m.GetMessageResponse().GetImportance() >= jobpb.JobMessage_JOB_MESSAGE_ERROR {
			last = errors.New(m.GetMessageResponse().GetMessageText())
		}
	}
	return last
}

// submission is a job as its submitter knows it: a job server gives it an ID, but
// Beam does not show it. Its name need not be its own alone.
type submission struct {
	server JobServer
	name   string
	others map[string]bool // the IDs of jobs that were there before
}

func newSubmission(ctx context.Context, server JobServer, name string) submission {
	s := submission{server: server, name: name, others: make(map[string]bool)}
	if server == "" {
		return s
	}
	jobs, _ := server.Jobs(ctx) // Beam reports what is wrong with it
	for _, job := range jobs {
		s.others[job.ID] = true
	}
	return s
}

// job returns the job, the zero Job where the job server has not heard of it.
func (s submission) job(ctx context.Context) Job {
	jobs, _ := s.server.Jobs(ctx)
	for _, job := range jobs {
		if job.Name == s.name && !s.others[job.ID] {
			return job
		}
	}
	return Job{}
}

// cancel does what it can: the process is about to end either way.
func (s submission) cancel(ctx context.Context) {
	id := s.job(ctx).ID
	if id == "" {
		return
	}
	job, err := s.server.Cancel(ctx, id)
	if err != nil {
		return
	}
	if err := job.CancelOnCluster(ctx); err != nil {
		log.Warnf(ctx, "%v", err)
	}
}

// failed returns why the job failed, in words of its cluster's version where that
// has to do with it. It makes sure that the cluster is done with it, too: a job
// server that does not understand its cluster leaves jobs running there.
func (s submission) failed(ctx context.Context, err error) error {
	flink := s.job(ctx).flink
	if flink.cluster == nil {
		return err
	}
	still := flink.cancel(ctx) // mostly it has reported the failure, and is done
	if !foreign.MatchString(err.Error()) {
		return err
	}
	if still != nil {
		log.Warnf(ctx, "%v", still)
	}
	version := flink.version(ctx)
	if version == "" {
		return err
	}
	return fmt.Errorf("the Flink cluster at %s is of version %s, and does not understand the job server, which must be "+
		"Beam's for Flink %s: %s",
		flink.cluster.Host, version, minor(version), CauseOf(err))
}

// id returns the ID of a job that goes on: Beam's result does not know it.
func (s submission) id(ctx context.Context) (string, error) {
	for deadline := time.Now().Add(Grace); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if id := s.job(ctx).ID; id != "" {
			return id, nil
		}
	}
	return "", fmt.Errorf("the job server at %s does not know the job %s that it was given", s.server, s.name)
}
