package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/internal/sockets"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// The demo needs nothing, and leaves alone what the user has set up for AWS.
func TestDemo(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{}).with(
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_PROFILE=nobody", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ENDPOINT_URL_KINESIS_VIDEO=http://127.0.0.1:1")
	temp := t.TempDir()
	u = u.with("TMPDIR=" + temp)
	first := u.run("demo")
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v in TMPDIR, %v", left, err)
	}
	if first.status != 0 || first.stderr != "" || !strings.Contains(first.stdout, "Verified: complete: each sample "+
		"once: 1,200 samples") {
		t.Fatalf("exit status %d\n%s%s", first.status, first.stdout, first.stderr)
	}
	if first.took > 10*time.Second {
		t.Errorf("it took %v", first.took)
	}
	second := u.must(0, "demo")
	if !strings.Contains(second, "Nothing was fetched: the dataset has all of it already.") {
		t.Errorf("the second run says\n%s", second)
	}
	o := object(t, u.must(0, "demo", "--json"))
	backfill, verify := o["backfill"].(map[string]any), o["verify"].(map[string]any)
	wants(t, backfill, map[string]any{"samples": 1200, "get_images_calls": 0})
	wants(t, backfill["fetched"].(map[string]any), map[string]any{"samples": 0})
	wants(t, verify, map[string]any{"samples": 1200, "complete": true})

	if line := card.PythonLine(dataset.DefaultFormat, "kvsframes-demo"); !strings.HasSuffix(first.stdout,
		"\nIn Python:\n  "+line+"\n") {
		t.Errorf("it does not end with how to load the dataset, %s:\n%s", line, first.stdout)
	}

	next := regexp.MustCompile(`(?m)^  (.+?) +# `).FindAllStringSubmatch(first.stdout, -1)
	if len(next) != 3 {
		t.Fatalf("%d commands to try next:\n%s", len(next), first.stdout)
	}
	for _, n := range next[:2] {
		u.shell(n[1])
	}
	u.with("AWS_PROFILE").serveAndBackfill(strings.Replace(next[2][1], ":8087", ":0", 1))
}

// shell runs a line as somebody would who copied it.
func (u *user) shell(line string) {
	u.t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.Env = u.dir, u.env
	if out, err := cmd.CombinedOutput(); err != nil {
		u.t.Errorf("%s: %v\n%s", line, err, out)
	}
}

// serveAndBackfill serves, and copies what serve says to try.
func (u *user) serveAndBackfill(line string) {
	u.t.Helper()
	cmd := exec.Command("sh", "-c", "exec "+line)
	cmd.Dir, cmd.Env = u.dir, u.env
	out, hint := new(lockedBuffer), new(lockedBuffer)
	cmd.Stdout, cmd.Stderr = out, hint
	if err := cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	until(u.t, "serve says what to try", func() bool {
		return strings.HasSuffix(hint.String(), "--out frames\n") && out.String() != ""
	})
	if !regexp.MustCompile(`^listening on http://127\.0\.0\.1:\d+\n$`).MatchString(out.String()) {
		u.t.Errorf("serve says %q", out)
	}
	if strings.Contains(hint.String(), "warning") {
		u.t.Errorf("it warns, though nobody else can connect:\n%s", hint)
	}
	_, lines, _ := strings.Cut(hint.String(), "\n")
	u.shell(lines)
	u.shell(binary() + " verify frames")
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		u.t.Errorf("serve ends with %v", err)
	}
}

// lockedBuffer is a buffer that is read while a process writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A config file's stream can be backfilled as the file says it is.
func TestServeConfig(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{})
	u.write("cameras.yaml", "access_keys: {me: mine}\nregion: eu-west-1\nstreams: [{name: yard, width: 160, height: 90, "+
		"media: [{from: 2026-01-01T00:00:00Z, to: 2026-01-01T00:01:00Z}]}]\n")
	u.serveAndBackfill(binary() + " serve --config cameras.yaml")
}

// Where other machines can connect, serve says so, and names no other address than
// the one that it listens at.
func TestServeOnAllNetworks(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{})
	cmd := u.command("serve", "--addr", "0.0.0.0:0")
	out, told := new(lockedBuffer), new(lockedBuffer)
	cmd.Stdout, cmd.Stderr = out, told
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "serve says what to try", func() bool { return strings.HasSuffix(told.String(), "--out frames\n") })
	at := regexp.MustCompile(`^listening on http://(\S+)\n$`).FindStringSubmatch(out.String())
	if at == nil {
		t.Fatalf("serve says %q", out)
	}
	if mine, err := sockets.Listening(cmd.Process.Pid); err != nil || len(mine) != 1 || mine[0].String() != at[1] {
		t.Errorf("it listens at %v, %v, and says %s", mine, err, at[1])
	}
	if !strings.HasPrefix(told.String(), "warning: other machines can connect to this address") {
		t.Errorf("it does not warn:\n%s", told)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("serve ends with %v", err)
	}
}
