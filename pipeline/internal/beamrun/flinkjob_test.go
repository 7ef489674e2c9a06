package beamrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/kvsframes/kvsframes/internal/httpguard"
)

// flinkServers are a job server with one job and the Flink cluster that it gives it
// to, which gets it only when it has been looked at twice.
type flinkServers struct {
	jobpb.UnimplementedJobServiceServer
	master string

	mu       sync.Mutex
	state    jobpb.JobState_Enum
	looks    int
	onFlink  string // the state there
	tooEarly bool   // the job server let go of a job that was still to arrive
}

// newFlinkServers starts the two. Where the master is not said, it is that cluster.
func newFlinkServers(t *testing.T, master string) (*flinkServers, JobServer) {
	t.Helper()
	f := &flinkServers{master: master, state: jobpb.JobState_RUNNING}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /jobs/overview", f.overview)
	mux.HandleFunc("PATCH /jobs/0123", f.patch)
	mux.HandleFunc("GET /config", func(w http.ResponseWriter,
		_ *http.Request,
	) {
		fmt.Fprint(w, `{"flink-version": "1.16.0"}`)
	})
	rest := httptest.NewServer(mux)
	t.Cleanup(rest.Close)
	if master == "" {
		f.master = strings.TrimPrefix(rest.URL, "http://")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	jobpb.RegisterJobServiceServer(server, f)
	go server.Serve(l)
	t.Cleanup(server.Stop)
	return f, JobServer(l.Addr().String())
}

func (f *flinkServers) GetJobs(context.Context, *jobpb.GetJobsRequest) (*jobpb.GetJobsResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	options, err := structpb.NewStruct(map[string]any{
		"beam:option:app_name:v1":     "night",
		"beam:option:flink_master:v1": f.master,
	})
	info := &jobpb.JobInfo{JobId: "night-root-1_5f0e", JobName: "night-root-1", State: f.state, PipelineOptions: options}
	return &jobpb.GetJobsResponse{JobInfo: []*jobpb.JobInfo{info}}, err
}

func (f *flinkServers) Cancel(context.Context, *jobpb.CancelJobRequest) (*jobpb.CancelJobResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state, f.tooEarly = jobpb.JobState_CANCELLED, f.onFlink == ""
	return &jobpb.CancelJobResponse{State: f.state}, nil
}

func (f *flinkServers) overview(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	other := `{"jid": "4567", "name": "another-root-1", "state": "RUNNING"}`
	if f.looks++; f.looks < 3 {
		fmt.Fprintf(w, `{"jobs": [%s]}`, other)
		return
	}
	switch f.onFlink {
	case "":
		f.onFlink = "RUNNING"
	case "CANCELLING":
		f.onFlink = "CANCELED"
	}
	fmt.Fprintf(w, `{"jobs": [%s, {"jid": "0123", "name": "night-root-1", "state": %q}]}`, other, f.onFlink)
}

func (f *flinkServers) patch(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.RawQuery != "mode=cancel" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.onFlink = "CANCELLING"
	w.WriteHeader(http.StatusAccepted)
}

// A job that is cancelled ends on its cluster, too.
func TestCancelOnTheCluster(t *testing.T) {
	f, server := newFlinkServers(t, "")
	job, err := server.Cancel(t.Context(), "night-root-1_5f0e")
	if err := errors.Join(err, job.CancelOnCluster(t.Context())); err != nil || job.State != "CANCELLED" || f.onFlink != "CANCELED" || f.tooEarly {
		t.Errorf("%+v, %v; on the cluster it is %s", job, err, f.onFlink)
	}
	if _, err = server.Cancel(t.Context(), "night-root-1_5f0e"); err == nil ||
		!strings.Contains(err.Error(), "is CANCELLED: there is nothing to cancel") {
		t.Errorf("again: %v", err)
	}
}

func TestCancelInterrupted(t *testing.T) {
	f, server := newFlinkServers(t, "")
	submission{server: server, name: "night"}.cancel(t.Context())
	if f.onFlink != "CANCELED" {
		t.Errorf("on the cluster it is %q", f.onFlink)
	}
}

// Where job server and cluster do not understand each other, that is told, and the
// job does not go on.
func TestFailedByVersion(t *testing.T) {
	f, server := newFlinkServers(t, "")
	f.onFlink, f.looks = "RUNNING", 2
	// As Beam returned it for a job server for Flink 1.19 and a cluster of 1.16.
	told := errors.New("job night-root-1_5f0e failed:\norg.apache.flink.runtime.rest.util.RestClientException: " +
		"[Internal server error., <Exception on server side:\n" +
		"java.lang.NullPointerException: Cannot invoke \"org.apache.flink.api.common.ExecutionMode.name()\" because the " +
		"return value of \"org.apache.flink.api.common.ExecutionConfig.getExecutionMode()\" is null\n" +
		"\tat org.apache.flink.api.common.ArchivedExecutionConfig.<init>(ArchivedExecutionConfig.java:46)\n\tat " +
		"java.base/java.lang.Thread.run(Thread.java:840)\n\nEnd of exception on server side>]")
	want := "the Flink cluster at " + f.master + " is of version 1.16.0, and does not understand the job server, which " +
		"must be Beam's for Flink 1.16: " +
		"org.apache.flink.runtime.rest.util.RestClientException: [Internal server error., <Exception on server side: " +
		"java.lang.NullPointerException: " +
		"Cannot invoke \"org.apache.flink.api.common.ExecutionMode.name()\" because the return value of " +
		"\"org.apache.flink.api.common.ExecutionConfig.getExecutionMode()\" is null"
	job := submission{server: server, name: "night"}
	if got := CauseOf(job.failed(t.Context(), told)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if f.onFlink != "CANCELED" {
		t.Errorf("on the cluster it is %s", f.onFlink)
	}
	other := errors.New("java.io.IOException: error=2, No such file or directory")
	if got := job.failed(t.Context(), other); got != other {
		t.Errorf("%v", got)
	}
}

func TestCancelInsideTheJobServer(t *testing.T) {
	f, server := newFlinkServers(t, "[local]")
	job, err := server.Cancel(t.Context(), "night-root-1_5f0e")
	if err := errors.Join(err, job.CancelOnCluster(t.Context())); err != nil || job.State != "CANCELLED" || f.looks != 0 {
		t.Errorf("%+v, %v, %d looks", job, err, f.looks)
	}
}

// TestClusterAnswersHaveAnEnd: of an answer without end little is read, and
// nothing is believed.
func TestClusterAnswersHaveAnEnd(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusBadGateway} {
		var sent atomic.Int64
		cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, `{"jobs": [{"name": "`)
			chunk := strings.Repeat("A", 1<<20)
			for range 256 {
				n, err := io.WriteString(w, chunk)
				if sent.Add(int64(n)); err != nil {
					return
				}
			}
		}))
		_, server := newFlinkServers(t, cluster.URL)
		job, err := server.Cancel(t.Context(), "night-root-1_5f0e")
		err = errors.Join(err, job.CancelOnCluster(t.Context()))
		cluster.Close()
		var long *httpguard.LongBodyError
		if err == nil || status == http.StatusOK && !errors.As(err, &long) {
			t.Errorf("HTTP %d: %v", status, err)
		}
		if most := int64(32 << 20); sent.Load() > most { // buffers of two sockets, and ours
			t.Errorf("HTTP %d: %d bytes were sent", status, sent.Load())
		}
	}
}

func TestWhereAJobIs(t *testing.T) {
	for master, want := range map[string]string{
		"flink:9000":           "http://flink:9000",
		"flink":                "http://flink:8081",
		"https://flink:8443/":  "https://flink:8443",
		"localhost:8081":       "http://jobs:8081",
		"127.0.0.1":            "http://jobs:8081",
		"http://[::1]:8081":    "http://jobs:8081",
		"[local]":              "",
		"[auto]":               "",
		"":                     "",
		"http://a space:80 80": "",
	} {
		options, err := structpb.NewStruct(map[string]any{"beam:option:flink_master:v1": master})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if job := JobServer("jobs:8099").flinkJob(&jobpb.JobInfo{PipelineOptions: options}); job.cluster != nil {
			got = job.cluster.Scheme + "://" + job.cluster.Host
		}
		if got != want {
			t.Errorf("%s: %s, want %s", master, got, want)
		}
	}
}
