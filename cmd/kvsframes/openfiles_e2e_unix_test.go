//go:build e2e && unix

package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestTooManyOpenFiles: with few open files a backfill works, or it says in seconds why
// it does not; and what is not the stream's fault makes no gaps.
func TestTooManyOpenFiles(t *testing.T) {
	t.Parallel()
	none := func(*testing.T) []string { return nil }
	s3 := func(t *testing.T) []string { return []string{"--out", newBucket(t).out} }
	google := func(t *testing.T) []string { return []string{"--out", newGoogleBucket(t).out} }
	keepGoing := func(*testing.T) []string { return []string{"--keep-going"} }
	for name, test := range map[string]struct {
		limit, inFlight, minutes int
		more                     func(*testing.T) []string
	}{
		"16":                 {16, 32, 60, none},
		"20":                 {20, 32, 60, none},
		"24":                 {24, 32, 60, none},
		"32":                 {32, 32, 60, none},
		"48":                 {48, 32, 60, none},
		"64":                 {64, 32, 60, none},
		"few calls":          {16, 4, 15, none},
		"many calls":         {16, 200, 120, none},
		"many and keep on":   {16, 200, 120, keepGoing},
		"many into S3":       {16, 200, 120, s3},
		"many into Google's": {16, 200, 120, google},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t, kvstest.Config{
				Streams: []kvstest.Stream{camera("cam")},
				Latency: kvstest.Latency{PerCall: time.Second},
			})
			args := ask(0, test.minutes, "--shard-samples", "25", "--stream-quota", "0", "--max-in-flight",
				fmt.Sprint(test.inFlight))
			args = append(args, test.more(t)...)
			shell := u.command(args...)
			shell.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, test.limit), shell.Path},
				args...)
			shell.Path, _ = exec.LookPath("sh")
			r := &running{Cmd: shell, began: time.Now()}
			r.Stdout, r.Stderr = &r.stdout, &r.stderr
			if err := r.Start(); err != nil {
				t.Fatal(err)
			}
			hung := time.AfterFunc(time.Minute, func() { r.Process.Kill() })
			defer hung.Stop()
			o := finish(t, r)
			says := fmt.Sprintf("too many open files (this process may have %d open: raise it with ulimit -n", test.limit)
			if o.status != 0 && (o.status > 2 || o.status < 0 || strings.Count(o.stderr, says) != 1) {
				t.Errorf("exit status %d after %v, want %q in:\n%s", o.status, o.took, says, o.stderr)
			}
			if o.status != 0 && o.took > 10*time.Second {
				t.Errorf("it says so after %v", o.took)
			}
			if strings.Contains(o.stdout, "FAILED") {
				t.Errorf("there are gaps:\n%s", o.stdout)
			}
		})
	}
}
