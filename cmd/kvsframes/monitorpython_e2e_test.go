//go:build e2e

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestMonitorInPython: the monitor of docs/operate.md reads what a backfill prints, however it ended.
func TestMonitorInPython(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, found := strings.Cut(string(text), "```python\nimport json, sys\n")
	code, _, ended := strings.Cut(code, "```")
	if !found || !ended || strings.Count(strings.TrimSpace(code), "\n") > 11 {
		t.Fatalf("the monitor is\n%s", code)
	}
	script := filepath.Join(t.TempDir(), "monitor.py")
	if err := os.WriteFile(script, []byte("import json, sys\n"+code), 0o666); err != nil {
		t.Fatal(err)
	}

	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	slow, args := slowly(t)
	cmd := slow.start(append(args, "--json")...)
	until(t, "a shard is written", func() bool { return receipts(slow) >= 1 })
	cmd.Process.Signal(syscall.SIGINT)
	interrupted := finish(t, cmd)
	json := func(u *user, args ...string) string { return u.run(append(args, "--json")...).stdout }
	const summary = `{"schema":"kvsframes.backfill/1","status":"STATUS","streams":[],"error":null}`
	for _, test := range []struct {
		stdin string
		exit  int
		want  string
	}{
		{json(u, good()...), 0, "nothing to do: complete"},
		{strings.Replace(summary, "STATUS", "submitted", 1), 0, "nothing to do: submitted"},
		{strings.Replace(summary, "STATUS", "planned", 1), 0, "nothing to do: planned"},
		{json(u, good("--sampling-interval", "soon")...), 1, `wake somebody: mistake: --sampling-interval is "soon"`},
		{json(u, good("--stream-name", "gone")...), 1, "wake somebody: stream_gone: describing gone"},
		{
			json(u.with("AWS_ENDPOINT_URL_KINESIS_VIDEO=http://127.0.0.1:1"), ask(0, 2)...),
			1, "look in the morning: failed: describing cam: after 3 attempts",
		},
		{
			json(u, ask(0, 1, "--stream-name", "gone", "--keep-going")...),
			1, "look in the morning: incomplete: describing gone",
		},
		{interrupted.stdout, 1, "look in the morning: interrupted: interrupted: what is written stays"},
	} {
		python := exec.Command("python3", script)
		python.Stdin = strings.NewReader(test.stdin)
		out, err := python.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if python.ProcessState.ExitCode() != test.exit || !strings.Contains(string(out), test.want) ||
			strings.Contains(string(out), "Traceback") {
			t.Errorf("exit status %d, want %d and %q:\n%s\nof %s", python.ProcessState.ExitCode(), test.exit, test.want, out,
				test.stdin)
		}
	}
}
