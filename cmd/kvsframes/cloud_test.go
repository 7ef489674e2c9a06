//go:build e2e

package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	df "google.golang.org/api/dataflow/v1b3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/internal/storetest"
)

// cloud is a stand-in for Google's: Cloud Storage, the token endpoint of a service
// account, and Dataflow's API. Its jobs run: prism plays the service's part, and
// workers are started as the boot program of Dataflow's containers starts them,
// with the staged binary and with nothing of the submitter's environment.
type cloud struct {
	fnpb.UnimplementedBeamFnExternalWorkerPoolServer

	t       *testing.T
	api     *httptest.Server
	storage *storetest.Store
	service jobpb.JobServiceClient // prism
	pool    net.Addr
	account string   // file of the service account's key
	env     []string // of workers

	mu     sync.Mutex
	job    *df.Job          // the last one
	model  *pipepb.Pipeline // of it, as it was staged
	worker string           // file of its worker binary
	failed string           // why it failed
	over   chan struct{}
	starts [][]string // arguments of the workers
}

// newCloud starts one. Its workers have env for an environment.
func newCloud(t *testing.T, env ...string) *cloud {
	t.Helper()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // prism's
	c := &cloud{t: t, env: env}
	c.api = httptest.NewServer(c)
	t.Cleanup(c.api.Close)
	c.storage = storetest.Google(t, "archive", "")
	c.env = append(c.env, "STORAGE_EMULATOR_HOST="+c.storage.URL)
	c.account = c.serviceAccount()
	var err error
	if c.service, err = prism.CreateJobServer(t.Context(), prism.Options{}); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.pool = listener.Addr()
	server := grpc.NewServer()
	fnpb.RegisterBeamFnExternalWorkerPoolServer(server, c)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return c
}

// googleSecret is part of the private key of the submitter's service account.
const googleSecret = "PRIVATE KEY"

func (c *cloud) serviceAccount() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		c.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		c.t.Fatal(err)
	}
	text, _ := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "vision", "client_email": "submitter@vision.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: googleSecret, Bytes: der})),
		"token_uri":   c.api.URL + "/token",
	})
	file := filepath.Join(c.t.TempDir(), "account.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return file
}

// submitter gives a user what a machine has that submits jobs.
func (c *cloud) submitter(u *user) *user {
	return u.with("GOOGLE_APPLICATION_CREDENTIALS="+c.account, c.env[len(c.env)-1])
}

// args are a backfill's, as somebody types them for a first job.
func (c *cloud) args(more ...string) []string {
	return append(good(
		"--out", "gs://archive/frames", "--runner", "dataflow", "--project", "vision", "--region", "europe-west1",
		"--staging_location", "gs://archive/staging", "--dataflow_endpoint", c.api.URL+"/",
	), more...)
}

// ServeHTTP is the token endpoint and Dataflow's API.
func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const jobs = "/v1b3/projects/vision/locations/europe-west1/jobs"
	c.mu.Lock()
	job, over := c.job, c.over
	c.mu.Unlock()
	var answer any
	switch path := r.URL.Path; {
	case path == "/token":
		answer = map[string]any{"access_token": "ya29.test", "token_type": "Bearer", "expires_in": 3600}
	case path == jobs && r.Method == http.MethodPost:
		answer = c.create(r.Body)
	case path == jobs:
		answer = df.ListJobsResponse{Jobs: []*df.Job{job}}
	case job == nil || !strings.HasPrefix(path, jobs+"/"+job.Id):
		http.NotFound(w, r)
		return
	case strings.HasSuffix(path, "/messages"):
		answer = df.ListJobMessagesResponse{JobMessages: []*df.JobMessage{{
			MessageText:       c.failed,
			MessageImportance: "JOB_MESSAGE_ERROR",
		}}}
	case strings.HasSuffix(path, "/metrics"):
		answer = df.JobMetrics{}
	case r.Method == http.MethodPut:
		c.end("JOB_STATE_CANCELLED", "")
		answer = job
	default:
		select { // Beam asks again only half a minute later
		case <-over:
		case <-r.Context().Done():
		}
		answer = job
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}

func (c *cloud) create(body io.Reader) *df.Job {
	job := new(df.Job)
	if err := json.NewDecoder(body).Decode(job); err != nil {
		c.t.Error(err)
	}
	job.Id, job.CurrentState = "2026-01-01_job", "JOB_STATE_RUNNING"
	c.mu.Lock()
	c.job, c.over = job, make(chan struct{})
	c.mu.Unlock()
	go func() {
		if err := c.run(job); err != nil {
			c.end("JOB_STATE_FAILED", err.Error())
		} else {
			c.end("JOB_STATE_DONE", "")
		}
	}()
	return job
}

// end ends the job, once.
func (c *cloud) end(state, failed string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.job.CurrentState == "JOB_STATE_RUNNING" {
		c.job.CurrentState, c.failed = state, failed
		close(c.over)
	}
}

// object returns what was staged at a gs:// URL.
func (c *cloud) object(url string) ([]byte, error) {
	data, ok := c.storage.Objects(c.t, strings.TrimPrefix(url, "gs://archive/"))[""]
	if !ok {
		return nil, fmt.Errorf("there is no %s", url)
	}
	return []byte(data), nil
}

// run runs what was staged.
func (c *cloud) run(job *df.Job) error {
	var options struct{ Options struct{ PipelineURL string } }
	if err := json.Unmarshal(job.Environment.SdkPipelineOptions, &options); err != nil {
		return err
	}
	staged, err := c.object(options.Options.PipelineURL)
	if err != nil {
		return err
	}
	model := new(pipepb.Pipeline)
	if err := proto.Unmarshal(staged, model); err != nil {
		return err
	}
	if err := c.stage(job.Environment.WorkerPools[0].Packages[0], proto.CloneOf(model)); err != nil {
		return err
	}
	for _, env := range model.Components.Environments {
		env.Urn = "beam:env:external:v1"
		env.Payload, _ = proto.Marshal(&pipepb.ExternalPayload{Endpoint: &pipepb.ApiServiceDescriptor{Url: c.pool.String()}})
	}
	ctx := context.Background()
	prepared, err := c.service.Prepare(ctx, &jobpb.PrepareJobRequest{Pipeline: model, JobName: job.Name})
	if err != nil {
		return err
	}
	began, err := c.service.Run(ctx, &jobpb.RunJobRequest{PreparationId: prepared.GetPreparationId()})
	if err != nil {
		return err
	}
	return follow(ctx, c.service, began.GetJobId())
}

// stage puts the worker binary where workers are started from.
func (c *cloud) stage(worker *df.Package, model *pipepb.Pipeline) error {
	data, err := c.object(worker.Location)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != worker.Sha256 {
		return errors.New("the worker binary is not what was staged")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.model, c.worker = model, filepath.Join(c.t.TempDir(), "worker")
	return os.WriteFile(c.worker, data, 0o777)
}

// follow waits for a job of prism's.
func follow(ctx context.Context, service jobpb.JobServiceClient, id string) error {
	stream, err := service.GetMessageStream(ctx, &jobpb.JobMessagesRequest{JobId: id})
	if err != nil {
		return err
	}
	failure := ""
	for {
		message, err := stream.Recv()
		if err != nil {
			return errors.New(failure)
		}
		if text := message.GetMessageResponse(); text.GetImportance() >= jobpb.JobMessage_JOB_MESSAGE_ERROR {
			failure = text.GetMessageText()
		}
		switch message.GetStateResponse().GetState() {
		case jobpb.JobState_DONE:
			return nil
		case jobpb.JobState_FAILED:
			if failure != "" {
				return errors.New(failure)
			}
		}
	}
}

// StartWorker starts one as Beam's boot program does.
func (c *cloud) StartWorker(_ context.Context, r *fnpb.StartWorkerRequest) (*fnpb.StartWorkerResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	dir := c.t.TempDir()
	options := filepath.Join(dir, "options.json")
	if err := os.WriteFile(options, c.job.Environment.SdkPipelineOptions, 0o666); err != nil {
		return nil, err
	}
	cmd := exec.Command(c.worker,
		"--worker=true", "--id="+r.GetWorkerId(), "--logging_endpoint="+r.GetLoggingEndpoint().GetUrl(),
		"--control_endpoint="+r.GetControlEndpoint().GetUrl(), "--semi_persist_dir="+dir,
	)
	cmd.Env, cmd.Dir = append([]string{"PIPELINE_OPTIONS_FILE=" + options}, c.env...), dir
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c.starts = append(c.starts, cmd.Args)
	c.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return &fnpb.StartWorkerResponse{}, nil
}

// StopWorker lets it live until the test ends.
func (c *cloud) StopWorker(context.Context, *fnpb.StopWorkerRequest) (*fnpb.StopWorkerResponse, error) {
	return &fnpb.StopWorkerResponse{}, nil
}
