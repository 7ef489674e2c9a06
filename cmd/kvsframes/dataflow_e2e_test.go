//go:build e2e

package main

import (
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// laptop is a submitter's own keys, which may see the streams.
var laptop = map[string]string{"AKIALAPTOP": "laptop-secret", markedID: markedSecret}

// dataflowUser is somebody on a laptop, and the cloud that they submit to. Only
// workers are machines of Google's, and have nothing of AWS's.
func dataflowUser(t *testing.T, config kvstest.Config) (*user, *cloud) {
	t.Helper()
	config.AccessKeys = laptop
	u := newUser(t, config)
	c := newCloud(t, "GCE_METADATA_HOST="+strings.TrimPrefix(u.server.URL, "http://"))
	u = c.submitter(u.with("AWS_SESSION_TOKEN=laptop-token", "AWS_ENDPOINT_URL_STS="+u.server.URL,
		"GCE_METADATA_HOST=127.0.0.1:1"))
	u.write("aws-config", "[profile archive]\naws_access_key_id = AKIAARCHIVE\naws_secret_access_key = archive-secret\n")
	return u.with("AWS_CONFIG_FILE=" + u.dir + "/aws-config"), c
}

var asRole = []string{"--aws-web-identity", "gcp", "--aws-role-arn", testRole}

// secrets are all that must not be found where a job is described or a dataset
// lies.
var secrets = append([]string{"AKIA", "laptop-secret", "laptop-token", "archive-secret", googleSecret, "ya29."},
	sessionMarks...)

// TestDataflow: a job is submitted as Dataflow takes it, its workers read the
// streams with nothing but what travelled in it, and the dataset is complete.
func TestDataflow(t *testing.T) {
	t.Parallel()
	u, c := dataflowUser(t, kvstest.Config{Roles: []string{testRole}, Streams: []kvstest.Stream{camera("cam")}})
	o := u.run(c.args(append(asRole, "--end-timestamp", "2026-01-01T00:30:00Z", "--json",
		"--sdk_container_image", "example.com/worker:1", "--labels", `{"team":"vision"}`, "--num_workers", "2",
		"--max_num_workers", "9",
		"--worker_machine_type", "n2-standard-4", "--disk_size_gb", "50", "--disk_type", "pd-ssd", "--network", "net",
		"--subnetwork", "subnet",
		"--no_use_public_ips", "--use_public_ips=false", "--service_account_email", "worker@vision", "--experiments",
		"one,two",
		"--number_of_worker_harness_threads", "7", "--autoscaling_algorithm", "NONE", "--dataflow_service_options",
		"enable_prime",
		"--temp_location", "gs://archive/temp", "--job_name", "night", "--worker_region", "europe-west4", "--resource_hints",
		"min_ram=4GB",
	)...)...)
	if o.status != 0 {
		t.Fatalf("exit status %d; stderr:\n%s", o.status, o.stderr)
	}
	if want := "warning: only the workers can assume " + testRole; !strings.Contains(o.stderr, want) {
		t.Errorf("stderr must contain %q:\n%s", want, o.stderr)
	}
	wants(t, object(t, o.stdout), map[string]any{"samples": 600, "frames": 600, "gaps": "{}", "shards": 6})
	wants(t, object(t, u.must(0, "verify", "gs://archive/frames", "--json")),
		map[string]any{"complete": true, "frames": 600})
	if s := u.server.Stats(); s.GetImagesCalls != 24 || s.Sessions != 1 || len(s.Refused) > 0 {
		t.Errorf("%d calls, want 24; %d sessions, want the worker's; refused: %v", s.GetImagesCalls, s.Sessions, s.Refused)
	}
	if len(c.starts) != 1 {
		t.Errorf("%d workers were started", len(c.starts))
	}

	env, pool := c.job.Environment, c.job.Environment.WorkerPools[0]
	for name, is := range map[string]bool{
		"job_name":              c.job.Name == "night" && c.job.Type == "JOB_TYPE_BATCH",
		"project":               c.job.ProjectId == "vision",
		"labels":                c.job.Labels["team"] == "vision",
		"service_account_email": env.ServiceAccountEmail == "worker@vision",
		"temp_location":         env.TempStoragePrefix == "gs://archive/temp",
		"experiments": slices.Contains(env.Experiments, "two") &&
			slices.Contains(env.Experiments, "use_runner_v2"),
		"dataflow_service_options":         slices.Equal(env.ServiceOptions, []string{"enable_prime"}),
		"worker_region":                    env.WorkerRegion == "europe-west4",
		"num_workers":                      pool.NumWorkers == 2 && pool.AutoscalingSettings.MaxNumWorkers == 9,
		"autoscaling_algorithm":            pool.AutoscalingSettings.Algorithm == "AUTOSCALING_ALGORITHM_NONE",
		"number_of_worker_harness_threads": pool.NumThreadsPerWorker == 7,
		"worker_machine_type":              pool.MachineType == "n2-standard-4",
		"disk":                             pool.DiskSizeGb == 50 && pool.DiskType == "pd-ssd",
		"network": pool.Network == "net" && pool.Subnetwork == "subnet" &&
			pool.IpConfiguration == "WORKER_IP_PRIVATE",
		"sdk_container_image": pool.WorkerHarnessContainerImage == "example.com/worker:1" &&
			pool.SdkHarnessContainerImages[0].ContainerImage == "example.com/worker:1",
		"staging_location": strings.HasPrefix(pool.Packages[0].Location, "gs://archive/staging/"),
	} {
		if !is {
			t.Errorf("--%s is not in the job", name)
		}
	}
	described, err := json.Marshal(c.job)
	if err != nil {
		t.Fatal(err)
	}
	model := prototext.Format(c.model)
	if !strings.Contains(model, "beam:requirement:pardo:splittable_dofn:v1") ||
		!strings.Contains(model, "restriction_coder_id") && !strings.Contains(model, "kvsio.readFn") {
		t.Error("the model has no splittable DoFn")
	}
	if text := unwrapped(model, wrappings); !strings.Contains(text, testRole) ||
		!strings.Contains(text, u.server.StreamARN("cam")) {
		t.Error("what travels is not found in the model: nor would a secret be")
	}
	wantNoSecret(t, "the job", string(described), secrets...)
	wantNoSecret(t, "the model", model, secrets...)
	wantNoSecret(t, "stderr", o.stderr, secrets...)
	for name, data := range c.storage.Objects(t, "frames/") {
		if strings.HasSuffix(name, ".json") {
			wantNoSecret(t, name, data, secrets...)
		}
	}
}

// TestDataflowWorkerBinary: cross-built without cgo, the program needs nothing of
// the machine that it runs on.
func TestDataflowWorkerBinary(t *testing.T) {
	t.Parallel()
	u, c := dataflowUser(t, kvstest.Config{Roles: []string{testRole}, Streams: []kvstest.Stream{camera("cam")}})
	build := exec.Command("go", "build", "-o", filepath.Join(u.dir, "worker"), ".")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program, err := elf.Open(filepath.Join(u.dir, "worker"))
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("it needs %v, %v", libraries, err)
	}
	u.must(0, c.args(append(asRole, "--worker_binary", "worker")...)...)
	u.must(0, "verify", "gs://archive/frames")
}

// TestDataflowDryRun: Beam prints the job, and nothing else happens.
func TestDataflowDryRun(t *testing.T) {
	u, c := dataflowUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	o := u.run(c.args(append(asRole, "--dry_run")...)...)
	if o.status != 0 || !strings.Contains(o.stdout, "Dry run: the job is printed above, with 1 shards to fetch. Nothing "+
		"was submitted.") {
		t.Errorf("exit status %d; stdout: %s\nstderr:\n%s", o.status, o.stdout, o.stderr)
	}
	for _, want := range []string{
		"Dry-run: not submitting job!", `"type": "JOB_TYPE_BATCH"`, `"projectId": "vision"`, "kvsio.readFn",
		"beam:requirement:pardo:splittable_dofn:v1",
		"gcr.io/cloud-dataflow/v1beta3/beam_go_sdk:2.77.0", "beam:protocol:multi_core_bundle_processing:v1",
	} {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("stderr must contain %q:\n%.3000s", want, o.stderr)
		}
	}
	wantNoSecret(t, "what is printed", o.stderr, secrets...)
	if objects := c.storage.Objects(t, "frames/"); len(objects) > 0 || c.job != nil {
		t.Errorf("objects were made: %v; job %v", objects, c.job)
	}
}

// TestDataflowWorkerWithoutARole: what a worker complains of is what the command
// complains of.
func TestDataflowWorkerWithoutARole(t *testing.T) {
	t.Parallel()
	u, c := dataflowUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	o := u.run(c.args(asRole...)...)
	want := "assuming " + testRole + ": AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
	if o.status != 1 || !strings.Contains(o.stderr, want) {
		t.Errorf("exit status %d; stderr must contain %q:\n%s", o.status, want, o.stderr)
	}
	wantNoSecret(t, "stderr", o.stderr, secrets...)
}

// TestDataflowLeft: asynchronous, the command leaves with the job's id.
func TestDataflowLeft(t *testing.T) {
	t.Parallel()
	u, c := dataflowUser(t, kvstest.Config{Roles: []string{testRole}, Streams: []kvstest.Stream{camera("cam")}})
	wants(t, object(t, u.must(0, c.args(append(asRole, "--async", "--json")...)...)),
		map[string]any{"job_id": `"2026-01-01_job"`, "samples": 20, "frames": 0})
	<-c.over
	u.must(0, "verify", "gs://archive/frames")
}

// TestDataflowInterrupt: interrupted, it cancels the job.
func TestDataflowInterrupt(t *testing.T) {
	t.Parallel()
	u, c := dataflowUser(t, kvstest.Config{
		Roles: []string{testRole}, Streams: []kvstest.Stream{camera("cam")},
		Latency: kvstest.Latency{PerCall: time.Minute},
	})
	cmd := u.start(c.args(asRole...)...)
	until(t, "calls are made", func() bool { return u.server.Stats().GetImagesCalls > 0 })
	cmd.Process.Signal(os.Interrupt)
	if o := finish(t, cmd); o.status != 130 || !strings.Contains(o.stderr, "interrupted: what is written stays") {
		t.Errorf("exit status %d; stderr:\n%s", o.status, o.stderr)
	}
	if c.job.CurrentState != "JOB_STATE_CANCELLED" {
		t.Errorf("the job is %s", c.job.CurrentState)
	}
}

// TestDataflowBadInput: mistakes cost seconds, not a job.
func TestDataflowBadInput(t *testing.T) {
	u, c := dataflowUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	u.write("notes.txt", "no program")
	dataflow := func(more ...string) []string { return append(good("--runner", "dataflow"), more...) }
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"nothing", dataflow("--out", "gs://archive/frames"), []string{"3 mistakes", "--project is not set: it must be the " +
			"Google Cloud project", "--region is not set", "--staging_location is not set: it must be a place for the worker " +
			"binary and the job, gs://BUCKET/PREFIX"}},
		{"a folder", c.args("--out", "frames"), []string{"--out is a place of this machine, and Dataflow's workers are " +
			"others: it must be gs://BUCKET/PREFIX or s3://BUCKET/PREFIX"}},
		{"staging", c.args("--staging_location", "s3://x"), []string{`--staging_location is "s3://x"`}},
		{
			"workers", c.args("--num_workers", "9", "--max_num_workers", "2"),
			[]string{"--num_workers is 9: it must be at most --max_num_workers, which is 2"},
		},
		{
			"environment", c.args("--environment_type", "PROCESS"),
			[]string{`--environment_type is "PROCESS": it must be DOCKER`},
		},
		{"images", c.args("--sdk_container_image", "a", "--worker_harness_container_image", "b"), []string{"are both given"}},
		{
			"labels", c.args("--labels", "team=vision"),
			[]string{`--labels is "team=vision": it must be a JSON object of texts`},
		},
		{
			"worker binary", c.args("--worker_binary", "notes.txt"),
			[]string{
				`--worker_binary is "notes.txt", which is no program for linux: build one`,
				"GOOS=linux GOARCH=amd64 CGO_ENABLED=0",
			},
		},
		{"no worker binary", c.args("--worker_binary", "nope"), []string{`--worker_binary is "nope"`, "no such file"}},
		{"a dry run of something else", good("--dry_run"), []string{"--dry_run is for --runner dataflow"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := *u
			v.t = t
			o := v.run(test.args...)
			if o.status != 2 || o.stdout != "" || o.took > 10*time.Second {
				t.Errorf("exit status %d after %v; stdout %q", o.status, o.took, o.stdout)
			}
			for _, want := range test.want {
				if !strings.Contains(o.stderr, want) {
					t.Errorf("stderr must contain %q:\n%s", want, o.stderr)
				}
			}
		})
	}
	nobody := u.with("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
	if o := nobody.run(c.args(asRole...)...); o.status != 1 || !strings.Contains(o.stderr, "this is no machine of "+
		"Google's, and AWS credentials of its own, which would stay here, it has none") {
		t.Errorf("exit status %d; stderr:\n%s", o.status, o.stderr)
	}
	if c.job != nil {
		t.Error("a job was submitted")
	}
}
