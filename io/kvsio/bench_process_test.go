package kvsio_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

// job is what a process of its own reads on prism.
type job struct {
	Params   kvsio.ReadParams
	Requests []kvsio.Request
	PerShard time.Duration // that the sink takes
}

// report is what the process says when it is done.
type report struct {
	Bytes   int64 // of pictures
	Seconds float64
	Peak    int64 // bytes resident at most
}

// processes are what the test binary does instead where one of these is in its
// environment, and what it is to do there.
var processes = map[string]func(spec string) error{jobEnv: doJob}

const jobEnv = "KVSFRAMES_BENCHMARK_JOB"

func doJob(spec string) error {
	var j job
	if err := json.Unmarshal([]byte(spec), &j); err != nil {
		return err
	}
	began := time.Now()
	if err := readInto(&takeShards{j.PerShard}, "prism", j.Params, j.Requests); err != nil {
		return err
	}
	r := report{Bytes: taken.Load(), Seconds: time.Since(began).Seconds()}
	var err error
	if r.Peak, err = peak(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// peak returns the most bytes that this process was resident with, as Linux
// knows it: VmHWM.
func peak() (kilobytes int64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, line, _ := bytes.Cut(status, []byte("VmHWM:"))
	_, err = fmt.Sscan(string(line), &kilobytes)
	return kilobytes << 10, err
}

// command makes the process that does a job.
func (j job) command(b *testing.B) *exec.Cmd {
	b.Helper()
	spec, err := json.Marshal(j)
	if err != nil {
		b.Fatal(err)
	}
	c := exec.CommandContext(b.Context(), os.Args[0])
	c.Env = append(os.Environ(), jobEnv+"="+string(spec))
	return c
}

// do does the job, which must read so many bytes of pictures.
func (j job) do(b *testing.B, want int) report {
	b.Helper()
	var r report
	c := j.command(b)
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.Output()
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		b.Fatalf("%v\n%s\n%s", err, out, complaints.Bytes())
	}
	if r.Bytes != int64(want) {
		b.Fatalf("%d bytes of pictures, want %d", r.Bytes, want)
	}
	return r
}
