package pipeline

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
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
		{"odd parallelism", "flink", "parallelism", "-5", "--parallelism is -5: Flink would run the job in one slot"},
		{"no slot", "flink", "parallelism", "0", "--parallelism is 0: Flink would run the job in one slot"},
		{"universal", "universal", "parallelism", "-1", ""},
		{"universal without endpoint", "universal", "endpoint", "", "--endpoint is not set"},
		{"prism without endpoint", "prism", "endpoint", "", ""},
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
			o := Options{Runner: test.runner}
			err := errors.Join(CheckRunner(o.Runner), o.checkAsync())
			if text := fmt.Sprint(err); test.want == "" && err != nil || !strings.Contains(text, test.want) {
				t.Errorf("%v: want %q", err, test.want)
			}
		})
	}
	flags(t, good)
	flags(t, map[string]string{"async": "true", "environment_type": "loopback"})
	if err := (Options{Runner: "flink"}).checkAsync(); err == nil || !strings.Contains(err.Error(), "--async is set") {
		t.Errorf("--async with LOOPBACK: %v", err)
	}
}
