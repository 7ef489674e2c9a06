package beamrun

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"

	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/internal/outside"
)

// flinkPort is that of Flink's REST API, where nothing else is said.
const flinkPort = "8081"

// flinkREST reads no more of an answer than one of Flink can be.
var flinkREST = &http.Client{Transport: httpguard.New(http.DefaultTransport, httpguard.AtMost(httpguard.LongestAnswer))}

// flinkJob is a job on the cluster that its job server gave it to. Beam's job
// server for Flink, asked to cancel a job, only stops waiting for it: on the
// cluster it would go on.
type flinkJob struct {
	cluster *url.URL // of Flink's REST API; nil where there is none, as with Flink inside the job server
	name    string   // no other job has it
}

// flinkJob returns where a job is. The job server adds that to the options that
// the job was submitted with.
func (s JobServer) flinkJob(info *jobpb.JobInfo) flinkJob {
	master := info.GetPipelineOptions().GetFields()["beam:option:flink_master:v1"].GetStringValue()
	if master == "" || strings.HasPrefix(master, "[") {
		return flinkJob{}
	}
	if !strings.Contains(master, "://") {
		master = "http://" + master
	}
	cluster, err := url.Parse(master)
	if err != nil {
		return flinkJob{}
	}
	host := cluster.Hostname()
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		if own, _, err := net.SplitHostPort(string(s)); err == nil {
			host = own // localhost to the job server
		}
	}
	cluster.Host = net.JoinHostPort(host, cmp.Or(cluster.Port(), flinkPort))
	return flinkJob{cluster, info.GetJobName()}
}

// onCluster is a job as Flink's REST API knows it.
type onCluster struct {
	ID    string `json:"jid"`
	Name  string
	State string
}

func (j onCluster) over() bool {
	return slices.Contains([]string{"FAILED", "CANCELED", "FINISHED"}, j.State)
}

// look returns what the cluster knows of the job: nothing, where it does not have
// it yet.
func (j flinkJob) look(ctx context.Context) (onCluster, error) {
	var all struct{ Jobs []onCluster }
	err := j.ask(ctx, http.MethodGet, "/jobs/overview", &all)
	for _, job := range all.Jobs {
		if job.Name == j.name {
			return job, err
		}
	}
	return onCluster{}, err
}

// arrive waits until the cluster has the job, which takes a job server a moment,
// but not for long.
func (j flinkJob) arrive(ctx context.Context) {
	j.until(ctx, func(job onCluster) bool { return job.ID != "" })
}

// cancel makes the job end, and waits until nothing of it runs any more.
func (j flinkJob) cancel(ctx context.Context) error {
	var refused error
	err := j.until(ctx, func(job onCluster) bool {
		if job.ID == "" || job.over() {
			return true
		}
		if job.State != "CANCELLING" {
			refused = j.ask(ctx, http.MethodPatch, "/jobs/"+job.ID+"?mode=cancel", nil)
		}
		return false
	})
	if err != nil {
		return fmt.Errorf("its job server has let go of the job, but on the Flink cluster at %s, as %s, it may go on: "+
			"cancel it there: %w", j.cluster.Host, outside.Text(j.name), outside.Error(cmp.Or(refused, err)))
	}
	return nil
}

// version returns that of the cluster's Flink, "" where it does not tell.
func (j flinkJob) version(ctx context.Context) string {
	var config struct {
		Version string `json:"flink-version"`
	}
	if err := j.ask(ctx, http.MethodGet, "/config", &config); err != nil {
		return ""
	}
	return outside.Text(config.Version)
}

// minor cuts a version to what Beam's runners are named after: 1.19 of 1.19.0.
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// until looks at the job now and then, until it is as wanted.
func (j flinkJob) until(ctx context.Context, wanted func(onCluster) bool) error {
	if j.cluster == nil {
		return nil
	}
	for began := time.Now(); ; {
		job, err := j.look(ctx)
		if err != nil || wanted(job) {
			return err
		}
		if time.Since(began) > Grace {
			return fmt.Errorf("after %v it is %s", Grace, outside.Text(cmp.Or(job.State, "not there")))
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ask makes a call of the REST API.
func (j flinkJob) ask(ctx context.Context, method, path string, into any) error {
	ctx, stop := context.WithTimeout(ctx, answerTime)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, method, j.cluster.Scheme+"://"+j.cluster.Host+path, nil)
	if err != nil {
		return err
	}
	answer, err := flinkREST.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %s", outside.Text(answer.Status))
	}
	if into == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
