//go:build flink

package pipeline

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/internal/storetest"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/pipeline/internal/beamrun"
)

// What a cluster of two machines with two slots each does, with its workers in
// processes of their own. The last test loses one of the machines.
func TestFlinkCluster(t *testing.T) {
	f := startFlink(t, "start", "2", "2")
	t.Run("many streams", f.testMany)
	t.Run("one stream", f.testOne)
	t.Run("as README.md says", f.testReadme)
	t.Run("another binary", f.testOther)
	t.Run("submitter killed", f.testOrphan)
	t.Run("async", f.testAsync)
	t.Run("interrupted", f.testInterrupted)
	t.Run("bad input", f.testBadInput)
	t.Run("machine lost", f.testLost)
}

// wantSpread holds a job to a work a slot and calls that differ by at most a
// tenth between worker processes.
func (f *flink) wantSpread(t *testing.T, w *world) {
	t.Helper()
	slots := f.slots(t)
	for i, s := range slots {
		if s.Metrics.Works != 1 || s.Metrics.Shards == 0 {
			t.Errorf("slot %d of %s had %d works and wrote %d shards", i, s.Machine, s.Metrics.Works, s.Metrics.Shards)
		}
	}
	calls := w.workers()
	one, other := calls["taskmanager-1"], calls["taskmanager-2"]
	if len(slots) != 4 || len(calls) != 2 || 10*max(one, other) > 11*min(one, other) {
		t.Errorf("%d slots; calls by worker process: %v", len(slots), calls)
	}
}

func (f *flink) testMany(t *testing.T) {
	config := cameras(12, 50*time.Millisecond)
	config.Streams[3].Media = []kvstest.Range{{From: start, To: start.Add(7 * time.Minute)}}
	w := newWorld(t, config)
	o := w.must(0, append(ask("out", 10, names(12)...), f.on(4)...)...)
	if o["samples"] != 2400.0 || o["frames"] != 2340.0 || fmt.Sprint(o["gaps"]) != "map[NO_MEDIA:60]" {
		t.Errorf("%v", o)
	}
	images := w.server.Stats().Images
	f.wantSpread(t, w)
	if least := w.same("out", 10, names(12)...); images != least {
		t.Errorf("%d images were served, %d to one process", images, least)
	}
}

// testReadme runs the command that README.md shows for a cluster.
func (f *flink) testReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(text), "# on a Flink cluster with four slots, whose machines have the command, "+
		"too\nkvsframes ")
	shown, _, _ = strings.Cut(strings.ReplaceAll(shown, "\\\n", ""), "\n")
	w := newWorld(t, cameras(2, 0))
	others := map[string]string{
		"jobserver:8099": f.job, "s3://archive/frames?region=eu-west-1": "out",
		`{"command": "/usr/local/bin/kvsframes"}`: fmt.Sprintf(`{"command": %q}`, command()),
	}
	var args []string
	for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(shown, -1) {
		word = strings.Trim(word, "'")
		args = append(args, cmp.Or(others[word], word))
	}
	requests := "- {stream_name: cam0, start_timestamp: 2026-01-01T00:00:00Z, end_timestamp: 2026-01-01T00:10:00Z}\n"
	if err := os.WriteFile(filepath.Join(w.dir, "cameras.yaml"), []byte(requests), 0o666); err != nil {
		t.Fatal(err)
	}
	if o := w.must(0, append(args, "--json")...); o["frames"] != 200.0 {
		t.Errorf("%v", o)
	}
}

func (f *flink) testOne(t *testing.T) {
	w := newWorld(t, cameras(1, 100*time.Millisecond))
	w.must(0, append(ask("out", 60, names(1)...), f.on(4)...)...)
	images := w.server.Stats().Images
	f.wantSpread(t, w)
	if calls := w.server.Stats().GetImagesCalls; calls != 120 {
		t.Errorf("%d calls for 120 shards", calls)
	}
	if least := w.same("out", 60, names(1)...); images != least {
		t.Errorf("%d images were served, %d to one process", images, least)
	}
}

// The submitter goes away, and its job goes on.
func (f *flink) testOrphan(t *testing.T) {
	w := newWorld(t, cameras(4, 200*time.Millisecond))
	var stdout, stderr bytes.Buffer
	cmd := w.start(&stdout, &stderr, append(ask("out", 20, names(4)...), append(f.on(4), "--job_name", "orphan")...)...)
	until(t, "shards are written", func() bool { return w.receipts("out") > 0 })
	cmd.Process.Kill()
	cmd.Wait()
	if n := w.receipts("out"); n == 160 {
		t.Fatal("the job was over before its submitter was killed")
	}
	id := f.jobNamed(t, "orphan")
	until(t, "the job is over", func() bool { return f.state(w, id) == "DONE" })
	images := w.server.Stats().Images
	w.must(0, append(ask("out", 20, names(4)...), f.on(4)...)...) // only writes the index
	if again := w.server.Stats().Images - images; again != 0 {
		t.Errorf("%d images were served after the job", again)
	}
	w.same("out", 20, names(4)...)
}

func (f *flink) jobNamed(t *testing.T, name string) string {
	jobs, err := beamrun.JobServer(f.job).Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		if job.Name == name {
			return job.ID
		}
	}
	t.Fatalf("no job %s among %v", name, jobs)
	return ""
}

func (f *flink) state(w *world, id string) any {
	return w.must(0, "status", "--endpoint", f.job, "--json", id)["state"]
}

// A job that was submitted is followed, cancelled, and ended by another.
func (f *flink) testAsync(t *testing.T) {
	w := newWorld(t, cameras(4, 200*time.Millisecond))
	args := append(ask("out", 20, names(4)...), f.on(4)...)
	submitted := w.run(append(args, "--async", "--json=false")...)
	id := strings.TrimSuffix(strings.Fields(submitted.stdout + " - - -")[2], ":")
	if submitted.status != 0 || !strings.HasPrefix(submitted.stdout, "Submitted: job kvsframes") {
		t.Fatalf("%+v", submitted)
	}
	if n := w.receipts("out"); n == 160 {
		t.Error("it did not leave before the job was over")
	}
	until(t, "shards are written", func() bool { return w.receipts("out") > 0 })
	if s := f.state(w, id); s != "RUNNING" {
		t.Errorf("it is %v", s)
	}
	w.must(0, "cancel", "--endpoint", f.job, "--json", id)
	until(t, "it is cancelled", func() bool {
		s := w.run("status", "--endpoint", f.job, id)
		return s.status == 1 && strings.Contains(s.stderr, "was cancelled")
	})
	if state := f.last(t).State; state != "CANCELED" {
		t.Errorf("on the cluster it is %s", state)
	}
	if again := w.run("cancel", "--endpoint", f.job, id); again.status != 2 ||
		!strings.Contains(again.stderr, "is CANCELLED: there is nothing to cancel") {
		t.Errorf("%+v", again)
	}
	if n := w.receipts("out"); n == 160 {
		t.Error("it was cancelled too late")
	}
	w.must(0, args...)
	w.same("out", 20, names(4)...)
}

// Whoever interrupts a backfill has nothing run or spend any more.
func (f *flink) testInterrupted(t *testing.T) {
	w := newWorld(t, cameras(4, 200*time.Millisecond))
	args := append(ask("out", 20, names(4)...), f.on(4)...)
	var stdout, stderr bytes.Buffer
	cmd := w.start(&stdout, &stderr, args...)
	until(t, "shards are written", func() bool { return w.receipts("out") > 0 })
	signalled := time.Now()
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 130 ||
		!strings.Contains(stderr.String(), "interrupted: what is written stays") {
		t.Errorf("exit status %d: %s", status, stderr.String())
	}
	t.Logf("it took %v to end", time.Since(signalled))
	if state := f.last(t).State; state != "CANCELED" {
		t.Errorf("on the cluster the job is %s", state)
	}
	if n := w.receipts("out"); n == 160 {
		t.Error("it was interrupted too late")
	}
	w.must(0, args...)
	images := w.server.Stats().Images
	least := w.same("out", 20, names(4)...)
	const inFlight = 2 * 8 // shards, of both worker processes
	if most := least + inFlight*(least/160+1); images > most {
		t.Errorf("%d images were served: without an interruption it takes %d, and at most %d with what was in flight", images,
			least, most)
	}
}

// What only a job shows, in one line; the rest is in TestBadFlinkInput.
func (f *flink) testBadInput(t *testing.T) {
	w := newWorld(t, cameras(1, 0))
	bucket, place := refusingWorkers(t)
	w.env = append(w.env, "AWS_SDK_UA_APP_ID=submitter")
	for _, test := range []struct{ name, out, boot, want string }{
		{"no boot program", "out", "/nope", "No such file or directory"},
		{
			"a worker without credentials", "out", elsewhere(t, "export AWS_ACCESS_KEY_ID= AWS_SECRET_ACCESS_KEY="),
			"this worker cannot read: no AWS credentials",
		},
		{
			"a folder of the submitter's", "here", elsewhere(t, "mv "+w.dir+"/here "+w.dir+"/there 2>/dev/null"),
			w.dir + "/here",
		},
		{"a store that workers do not reach", place, command(), bucket},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append(ask(test.out, 10, names(1)...), f.on(4)...)
			args[len(args)-1] = fmt.Sprintf(`{"command": %q}`, test.boot)
			o := w.run(append(args, "--quiet")...)
			lines := strings.Split(strings.TrimSpace(o.stderr), "\n")
			last := lines[len(lines)-1]
			if o.status != 1 || len(lines) > 2 || !strings.Contains(last, "the job on runner flink failed: ") ||
				!strings.Contains(last, test.want) {
				t.Errorf("exit status %d; want %q:\n%s", o.status, test.want, o.stderr)
			}
			t.Logf("%v: %s", o.took, o.stderr)
		})
	}
}

// elsewhere returns a boot program for what is like a machine that is not this one,
// once a line of shell is run.
func elsewhere(t *testing.T, line string) string {
	dir := t.TempDir()
	path := filepath.Join(dir, "boot")
	script := fmt.Sprintf("#!/bin/sh\nexport HOME=%s\n%s\nexec %s \"$@\"\n", dir, line, command())
	if err := os.WriteFile(path, []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}

// refusingWorkers starts a store that only the submitter reaches, and returns what
// errors call it, and its URL.
func refusingWorkers(t *testing.T) (name, place string) {
	behind := storetest.S3(t, "archive")
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.UserAgent(), "app/taskmanager") {
			panic(http.ErrAbortHandler)
		}
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(store.Close)
	return "s3://archive/frames", "s3://archive/frames?region=us-east-1&endpoint=" + store.URL
}

// A cluster that the job server is not for is told, with what to do.
func TestFlinkVersion(t *testing.T) {
	f := startFlink(t, "older")
	w := newWorld(t, cameras(1, 0))
	o := w.run(append(append(ask("out", 10, names(1)...), f.on(1)...), "--quiet")...)
	want := "the job on runner flink failed: the Flink cluster at " + strings.TrimPrefix(f.rest, "http://") +
		" is of version 1.16.0, and does not understand the job server, which must be Beam's for Flink 1.16: "
	if o.status != 1 || !strings.Contains(o.stderr, want) {
		t.Errorf("exit status %d; want %q:\n%s", o.status, want, o.stderr)
	}
	t.Logf("%v: %s", o.took, o.stderr)
}

// A machine is lost in mid-job, and another one joins: nothing is missing, and no
// more is paid for twice than was under way.
func (f *flink) testLost(t *testing.T) {
	w := newWorld(t, cameras(4, 200*time.Millisecond))
	var stdout, stderr bytes.Buffer
	cmd := w.start(&stdout, &stderr, append(ask("out", 20, names(4)...), f.on(4)...)...)
	until(t, "shards are written", func() bool { return w.receipts("out") >= 40 })
	f.cluster(t, "kill", "taskmanager-1")
	if n := w.receipts("out"); n >= 140 {
		t.Fatalf("%d of 160 shards were written before the kill", n)
	}
	f.cluster(t, "join", "taskmanager-3", "2")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	images := w.server.Stats().Images
	least := w.same("out", 20, names(4)...)
	const inFlight = 2 * 8 // shards, of both worker processes
	if most := least + inFlight*(least/160+1); images > most {
		t.Errorf("%d images were served: without a loss it takes %d, and at most %d with what was in flight", images, least,
			most)
	}
	// It need not call: what it is dealt may be what the machine that stayed has
	// gone on with.
	if !slices.ContainsFunc(f.slots(t), func(s slot) bool { return s.Machine == "taskmanager-3" }) {
		t.Error("the machine that joined had no part in it")
	}
}
