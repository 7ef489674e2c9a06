package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"
)

// Who is no job server is told in seconds, and nothing else is done.
func TestNoJobServer(t *testing.T) {
	page := httptest.NewServer(http.NotFoundHandler()) // Flink's own port, perhaps
	defer page.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, endpoint := range map[string]string{
		"nobody": "127.0.0.1:1", "a web server": strings.TrimPrefix(page.URL, "http://"),
		"a silent one": silent.Addr().String(), "no address": "here",
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := JobServer(endpoint).Job(t.Context(), "any")
			if early := (*UsageError)(nil); !errors.As(err, &early) ||
				!strings.Contains(err.Error(), fmt.Sprintf("JobServer is %q: there is no Beam job server: ", endpoint)) {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// walled is a job server whose Flink cluster cannot be asked.
type walled struct {
	jobpb.UnimplementedJobServiceServer
}

func (walled) GetJobs(context.Context, *jobpb.GetJobsRequest) (*jobpb.GetJobsResponse, error) {
	options, err := structpb.NewStruct(map[string]any{"beam:option:flink_master:v1": "127.0.0.1:1"})
	return &jobpb.GetJobsResponse{JobInfo: []*jobpb.JobInfo{{
		JobId: "5f0e", JobName: "night", State: jobpb.JobState_RUNNING, PipelineOptions: options,
	}}}, err
}

func (walled) Cancel(context.Context, *jobpb.CancelJobRequest) (*jobpb.CancelJobResponse, error) {
	return &jobpb.CancelJobResponse{State: jobpb.JobState_CANCELLED}, nil
}

// A cluster that cannot be asked may go on: that is told, and is no mistake of the
// user's.
func TestCancelBehindAWall(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	service := grpc.NewServer()
	jobpb.RegisterJobServiceServer(service, walled{})
	go service.Serve(l)
	defer service.Stop()
	server := JobServer(l.Addr().String())

	job, err := server.Cancel(t.Context(), "5f0e")
	const want = "on the Flink cluster at 127.0.0.1:1, as night, it may go on: cancel it there: "
	early := (*UsageError)(nil)
	if err == nil || errors.As(err, &early) || !strings.Contains(err.Error(), want) ||
		job != (Job{Schema: JobSchema, ID: "5f0e", Name: "night", State: "CANCELLED"}) {
		t.Errorf("%+v, %v", job, err)
	}
	if _, err := server.Cancel(t.Context(), "another"); !errors.As(err, &early) ||
		!strings.Contains(err.Error(), `knows no job "another": it must be one of 5f0e (RUNNING)`) {
		t.Errorf("%v", err)
	}
}
