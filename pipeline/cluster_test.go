package pipeline

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// flags sets flags of Beam's for a test.
func flags(t *testing.T, values map[string]string) {
	t.Helper()
	for name, value := range values {
		f := flag.Lookup(name)
		before := f.Value.String()
		t.Cleanup(func() { f.Value.Set(before) })
		if err := f.Value.Set(value); err != nil {
			t.Fatal(err)
		}
	}
}

// What would otherwise be known when a job runs on a cluster is known before.
func TestBadClusterFlags(t *testing.T) {
	good := map[string]string{
		"endpoint": "localhost:8099", "parallelism": "4", "environment_type": "process",
		"environment_config": `{"command": "/boot"}`,
	}
	for _, test := range []struct {
		name, runner, flag, value, want string
	}{
		{"nothing", "flink", "parallelism", "4", ""},
		{"no endpoint", "flink", "endpoint", "", "--endpoint is not set"},
		{
			"no parallelism", "FlinkRunner", "parallelism", "-1",
			"--parallelism is not set: Flink would run the job in one slot",
		},
		{"environment", "flink", "environment_type", "LOOPBAK", `--environment_type is "LOOPBAK": it must be PROCESS`},
		{"no command", "flink", "environment_config", `{"os": "linux"}`, `as {"command": "/usr/local/bin/kvsframes"}`},
		{"no JSON", "flink", "environment_config", "/boot", `--environment_config is "/boot"`},
		{"async", "flink", "async", "true", ""},
		{"async prism", "prism", "async", "true", "--async is set, but the workers are of this process"},
		{"async by default", "", "async", "true", "--async is set, but the workers are of this process"},
		{"prism", "prism", "parallelism", "-1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			flags(t, good)
			flags(t, map[string]string{test.flag: test.value})
			err := usage(checkBeamFlags(Options{Runner: test.runner}.runner())...)
			if text := fmt.Sprint(err); test.want == "" && err != nil || !strings.Contains(text, test.want) {
				t.Errorf("%v: want %q", err, test.want)
			}
		})
	}
	flags(t, good)
	flags(t, map[string]string{"async": "true", "environment_type": "loopback"})
	if errs := checkBeamFlags("flink"); len(errs) != 1 || !strings.Contains(errs[0].Error(), "--async is set") {
		t.Errorf("--async with LOOPBACK: %v", errs)
	}
}

// Each of Dataflow's workers would write into a folder, or a memory, of its own.
func TestDataflowPlace(t *testing.T) {
	for place, refused := range map[string]bool{
		"frames": true, "file:///frames": true, "mem://archive/frames": true, "gs://archive/frames": false,
		"s3://archive/frames": false,
	} {
		if err := checkPlace("dataflow", "Out", place); (err != nil) != refused {
			t.Errorf("%s: %v", place, err)
		}
	}
}

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
			err := JobServer(endpoint).check(t.Context())
			if early := (*UsageError)(nil); !errors.As(err, &early) ||
				!strings.Contains(err.Error(), fmt.Sprintf("JobServer is %q: there is no Beam job server: ", endpoint)) {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 2*answerTime {
				t.Errorf("it took %v", took)
			}
		})
	}
}
