//go:build readers

package main

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadersOfSchedules: what docs/operate.md has for cron, Kubernetes and Airflow is read as they read it: times,
// the schema of a CronJob, the names of what Airflow's classes take.
func TestReadersOfSchedules(t *testing.T) {
	t.Parallel()
	python, err := filepath.Abs(cmp.Or(os.Getenv("KVSFRAMES_READERS"), "../../.cache/readers") + "/schedulers/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	blocks := schedulers(t)
	read := func(kind, text string) (string, error) {
		cmd := exec.Command(python, "../../testdata/readers/python/schedulers.py", kind)
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, test := range []struct{ kind, text, from, to string }{ // of what they would refuse
		{"cron", blocks["cron"][0], "10 4 ", "10 24 "},
		{"kubernetes", blocks["yaml"][0], "backoffLimit:", "backofLimit:"},
		{"airflow", blocks["python"][0], "retry_delay=", "retry_wait="},
	} {
		if out, err := read(test.kind, test.text); err != nil {
			t.Errorf("%s: %v\n%s", test.kind, err, out)
		}
		if _, err := read(test.kind, strings.Replace(test.text, test.from, test.to, 1)); err == nil {
			t.Errorf("%s: %s is taken", test.kind, test.to)
		}
	}
}
