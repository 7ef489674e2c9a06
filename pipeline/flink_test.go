//go:build flink

package pipeline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// flink is a cluster that testdata/flink/cluster has started: what .ci/flink
// installs must be there.
type flink struct {
	dir, job, rest string
	env            []string
}

// startFlink starts a cluster, or a job server with Flink inside it, that ends with
// the test. Its workers have the keys of a stand-in, and nothing else of AWS.
func startFlink(t testing.TB, command string, args ...string) *flink {
	t.Helper()
	dir, err := os.MkdirTemp("", "kvsframes-flink-")
	if err != nil {
		t.Fatal(err)
	}
	port := freePorts(t, 4)
	f := &flink{dir: dir, job: "localhost:" + port[0], rest: "http://localhost:" + port[1]}
	f.env = append(environ(dir), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "RESTARTS=2",
		"UPLOADS="+memory(t), "JOB_PORT="+port[0], "REST_PORT="+port[1], "RPC_PORT="+port[2], "ARTIFACT_PORT="+port[3])
	t.Cleanup(func() {
		f.cluster(t, "stop")
		if t.Failed() {
			t.Logf("the cluster's logs are in %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	f.cluster(t, command, args...)
	return f
}

// memory returns a folder that no disk is behind, where the machine has one with room
// for the jars of some jobs.
func memory(t testing.TB) string {
	var shm syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &shm); err != nil || shm.Bavail*uint64(shm.Bsize) < 1<<30 {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "kvsframes-flink-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (f *flink) cluster(t testing.TB, command string, args ...string) {
	t.Helper()
	cmd := exec.Command("../testdata/flink/cluster", append([]string{command, f.dir}, args...)...)
	cmd.Env = f.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cluster %s: %v\n%s", command, err, out)
	}
}

// freePorts returns ports that were free a moment ago.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	ports := make([]string, n)
	for i := range ports {
		l, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, ports[i], _ = net.SplitHostPort(l.Addr().String())
	}
	return ports
}

// environ is this process's environment, without what it says of AWS.
func environ(home string) []string {
	env := []string{"HOME=" + home, "AWS_EC2_METADATA_DISABLED=true"}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "AWS_") && !strings.HasPrefix(entry, "HOME=") {
			env = append(env, entry)
		}
	}
	return env
}

// get reads a page of Flink's REST API.
func (f *flink) get(t testing.TB, page string, into any) {
	t.Helper()
	answer, err := http.Get(f.rest + page)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", page, err)
	}
}

// slot is what Flink says of one of a stage's tasks.
type slot struct {
	Machine  string `json:"taskmanager-id"`
	Duration int64  // milliseconds
	Metrics  struct {
		Works  int `json:"read-records"`
		Shards int `json:"write-records"`
	}
}

// job is what Flink says of a job.
type job struct {
	ID    string `json:"jid"`
	State string
	Start int64 `json:"start-time"`
}

// last returns the cluster's last job.
func (f *flink) last(t testing.TB) job {
	t.Helper()
	var all struct{ Jobs []job }
	f.get(t, "/jobs/overview", &all)
	return slices.MaxFunc(all.Jobs, func(a, b job) int { return cmp.Compare(a.Start, b.Start) })
}

// slots returns the tasks of the last job's stage that reads and writes.
func (f *flink) slots(t testing.TB) []slot {
	t.Helper()
	last := f.last(t)
	var job struct{ Vertices []struct{ ID, Name string } }
	f.get(t, "/jobs/"+last.ID, &job)
	for _, vertex := range job.Vertices {
		if strings.Contains(vertex.Name, "dataset.Write") {
			var stage struct{ Subtasks []slot }
			f.get(t, "/jobs/"+last.ID+"/vertices/"+vertex.ID, &stage)
			return stage.Subtasks
		}
	}
	t.Fatal("no stage writes")
	return nil
}

// command is kvsframes as users have it, built when it is first asked for.
var command = sync.OnceValue(func() string {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("kvsframes-%d", os.Getpid()))
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/kvsframes").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("building the command: %v\n%s", err, out))
	}
	return path
})

// world is a stand-in, somebody who uses it, and what workers call of it.
type world struct {
	t      testing.TB
	server *kvstest.Server
	url    string
	dir    string
	env    []string

	mu          sync.Mutex
	byWorker    map[string]int // calls of GetImages
	first, last time.Time      // when the first of them came and the last was answered
}

var workerName = regexp.MustCompile(`\bapp/(\S+)`)

func newWorld(t testing.TB, config kvstest.Config) *world {
	t.Helper()
	server := kvstest.NewServer(config)
	t.Cleanup(server.Close)
	w := &world{t: t, server: server, dir: t.TempDir(), byWorker: map[string]int{}}
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed, and the data endpoint's
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {}, // workers are killed in mid-call
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(a http.ResponseWriter, r *http.Request) {
		if m := workerName.FindStringSubmatch(r.UserAgent()); m != nil && strings.HasSuffix(r.URL.Path, "/getImages") {
			w.mu.Lock()
			if w.byWorker[m[1]]++; w.first.IsZero() {
				w.first = time.Now()
			}
			w.mu.Unlock()
		}
		forward.ServeHTTP(a, r)
		w.mu.Lock()
		w.last = time.Now()
		w.mu.Unlock()
	}))
	t.Cleanup(proxy.Close)
	w.url = proxy.URL
	w.env = append(environ(w.dir), server.Env()...)
	w.env = append(w.env, "AWS_ENDPOINT_URL_KINESIS_VIDEO="+w.url)
	return w
}

// workers returns how many calls each worker process made since it was last
// asked.
func (w *world) workers() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.byWorker
	w.byWorker, w.first = map[string]int{}, time.Time{}
	return calls
}

type finished struct {
	status         int
	stdout, stderr string
	took           time.Duration
}

func (w *world) start(stdout, stderr *bytes.Buffer, args ...string) *exec.Cmd {
	w.t.Helper()
	cmd := exec.Command(command(), args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = w.dir, w.env, stdout, stderr
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

func (w *world) run(args ...string) finished {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	began := time.Now()
	cmd := w.start(&stdout, &stderr, args...)
	if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		w.t.Fatal(err)
	}
	return finished{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), time.Since(began)}
}

// must runs a command that is to end with a status, and returns the JSON object
// that it prints.
func (w *world) must(status int, args ...string) map[string]any {
	w.t.Helper()
	f := w.run(args...)
	if f.status != status {
		w.t.Fatalf("%v: exit status %d, want %d\nstdout: %s\nstderr: %s", args, f.status, status, f.stdout, f.stderr)
	}
	var o map[string]any
	if err := json.Unmarshal([]byte(f.stdout), &o); err != nil {
		w.t.Fatalf("stdout is not JSON: %v\n%s", err, f.stdout)
	}
	return o
}

// ask is the flags of a backfill of minutes of 2026 into out.
func ask(out string, minutes int, more ...string) []string {
	return append([]string{
		"backfill", "--sampling-interval", "3s", "--start-timestamp", start.Format(time.RFC3339),
		"--end-timestamp", start.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339),
		"--out", out, "--shard-samples", "10", "--max-in-flight", "8", "--stream-quota", "0", "--json",
	}, more...)
}

// on is the flags of a job on a cluster with two slots on each of its machines.
func (f *flink) on(slots int) []string {
	return []string{
		"--runner", "flink", "--endpoint", f.job, "--parallelism", fmt.Sprint(slots), "--environment_type", "PROCESS",
		"--environment_config", fmt.Sprintf(`{"command": %q}`, command()),
	}
}

// tree returns every file of a dataset with its content.
func (w *world) tree(dir string) map[string]string {
	w.t.Helper()
	files := map[string]string{}
	root := filepath.Join(w.dir, dir)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

// same compares a dataset with the one that the direct runner makes of the same
// request, and returns how many images that takes.
func (w *world) same(dir string, minutes int, args ...string) (images int) {
	w.t.Helper()
	before := w.server.Stats().Images
	w.must(0, append(ask("want", minutes, args...), "--runner", "direct")...)
	images = w.server.Stats().Images - before
	got, want := w.tree(dir), w.tree("want")
	for name, content := range want {
		if got[name] != content {
			w.t.Errorf("%s differs, or is not there", name)
		}
	}
	if len(got) != len(want) {
		w.t.Errorf("%d files, want %d", len(got), len(want))
	}
	return images
}

// receipts counts the shards that a dataset has.
func (w *world) receipts(dir string) int {
	found, _ := filepath.Glob(filepath.Join(w.dir, dir, "ledger", "*", "*.json"))
	return len(found)
}

// until waits for something to become true.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long until %s", what)
		}
	}
}

// cameras are streams with small pictures, hours of media and no quota. Every
// shard of ten samples begins with a fragment, and so takes one call.
func cameras(n int, latency time.Duration) kvstest.Config {
	config := kvstest.Config{Latency: kvstest.Latency{PerCall: latency}}
	for i := range n {
		config.Streams = append(config.Streams, kvstest.Stream{
			Name: fmt.Sprintf("cam%d", i), Width: 160, Height: 90, Quota: &kvstest.Quota{}, Fragment: 10 * time.Second,
			Media: []kvstest.Range{{From: start, To: start.Add(100 * time.Minute)}},
		})
	}
	return config
}

// names is the flags that name the first streams.
func names(n int) (flags []string) {
	for i := range n {
		flags = append(flags, "--stream-name", fmt.Sprintf("cam%d", i))
	}
	return flags
}
