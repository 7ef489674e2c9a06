package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

var testDir string

func TestMain(m *testing.M) {
	if text := os.Getenv(nowEnv); text != "" {
		os.Exit(runAt(text))
	}
	var err error
	if testDir, err = os.MkdirTemp("", "kvsframes-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(testDir)
	os.Exit(status)
}

// binary is the command as users have it, built when it is first asked for.
var binary = sync.OnceValue(func() string {
	path := filepath.Join(testDir, "kvsframes")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("building the command: %v\n%s", err, out))
	}
	return path
})

// user is somebody in a folder of their own, at a shell that is set up for a
// stand-in.
type user struct {
	t      *testing.T
	server *kvstest.Server
	dir    string
	env    []string
}

func newUser(t *testing.T, config kvstest.Config) *user {
	t.Helper()
	server := kvstest.NewServer(config)
	t.Cleanup(server.Close)
	u := &user{t: t, server: server, dir: t.TempDir()}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "AWS_") {
			u.env = append(u.env, entry)
		}
	}
	u.env = append(u.env, "HOME="+u.dir, "AWS_EC2_METADATA_DISABLED=true")
	u.env = append(u.env, server.Env()...)
	return u
}

// with returns the same user with other environment variables; one without a
// value is not set.
func (u *user) with(env ...string) *user {
	v := *u
	v.env = slices.Clone(u.env)
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		v.env = slices.DeleteFunc(v.env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
		if value != "" {
			v.env = append(v.env, entry)
		}
	}
	return &v
}

func (u *user) write(name, text string) {
	u.t.Helper()
	if err := os.WriteFile(filepath.Join(u.dir, name), []byte(text), 0o666); err != nil {
		u.t.Fatal(err)
	}
}

type outcomeOf struct {
	status         int
	stdout, stderr string
	took           time.Duration
}

func (u *user) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary(), args...)
	cmd.Dir, cmd.Env = u.dir, u.env
	return cmd
}

func (u *user) run(args ...string) outcomeOf {
	u.t.Helper()
	return finish(u.t, u.start(args...))
}

// running is a command under way.
type running struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
	began          time.Time
}

func (u *user) start(args ...string) *running {
	u.t.Helper()
	r := &running{Cmd: u.command(args...), began: time.Now()}
	r.Stdout, r.Stderr = &r.stdout, &r.stderr
	if err := r.Start(); err != nil {
		u.t.Fatal(err)
	}
	return r
}

// finish waits for a command, and holds it to what holds for all: no panic and
// no stack, whatever happens.
func finish(t *testing.T, r *running) outcomeOf {
	t.Helper()
	err := r.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	o := outcomeOf{r.ProcessState.ExitCode(), r.stdout.String(), r.stderr.String(), time.Since(r.began)}
	for _, bad := range []string{"goroutine ", "panic:", "DoFn[", "runtime error"} {
		if strings.Contains(o.stderr, bad) {
			t.Errorf("%v: stderr holds %q:\n%s", r.Args[1:], bad, o.stderr)
		}
	}
	return o
}

// must runs a command that is to end with a status, and returns its stdout.
func (u *user) must(status int, args ...string) string {
	u.t.Helper()
	o := u.run(args...)
	if o.status != status {
		u.t.Fatalf("%v: exit status %d, want %d\nstdout: %s\nstderr: %s", args, o.status, status, o.stdout, o.stderr)
	}
	return o.stdout
}

// object reads stdout as the one JSON object that it must be.
func object(t *testing.T, stdout string) map[string]any {
	t.Helper()
	if strings.Count(stdout, "\n") != 1 {
		t.Errorf("stdout is %d lines, want 1:\n%s", strings.Count(stdout, "\n"), stdout)
	}
	var o map[string]any
	if err := json.Unmarshal([]byte(stdout), &o); err != nil {
		t.Fatalf("stdout is not JSON: %v\n%s", err, stdout)
	}
	return o
}

// wants compares the fields of a JSON object that are named.
func wants(t *testing.T, o map[string]any, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if got, _ := json.Marshal(o[name]); string(got) != fmt.Sprint(value) {
			t.Errorf("%s is %s, want %v", name, got, value)
		}
	}
}

// until waits for something to become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long until %s", what)
		}
	}
}

// tree returns every file below a folder with its content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func sameTree(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, content := range want {
		if other, ok := got[name]; !ok {
			t.Errorf("%s is not there", name)
		} else if other != content {
			t.Errorf("%s differs", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is there", name)
		}
	}
}

// camera is a stream with small pictures, a day of media and no quota.
func camera(name string) kvstest.Stream {
	return kvstest.Stream{
		Name: name, Width: 160, Height: 90, Quota: &kvstest.Quota{},
		Media: []kvstest.Range{{From: demoStart, To: demoStart.Add(24 * time.Hour)}},
	}
}

// ask is the flags of a backfill from minute from to minute to of 2026.
func ask(from, to int, more ...string) []string {
	at := func(minute int) string {
		return demoStart.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339)
	}
	return append([]string{
		"backfill", "--stream-name", "cam", "--sampling-interval", "3s",
		"--start-timestamp", at(from), "--end-timestamp", at(to), "--out", "out",
	}, more...)
}

// wantOneLine holds a failure to one message that says what is wrong.
func wantOneLine(t *testing.T, o outcomeOf, status int, want string) {
	t.Helper()
	if o.status != status || !strings.Contains(o.stderr, want) {
		t.Errorf("exit status %d, want %d; stderr must contain %q:\n%s", o.status, status, want, o.stderr)
	}
	if n := strings.Count(o.stderr, "\n"); n != 1 {
		t.Errorf("stderr is %d lines, want 1:\n%s", n, o.stderr)
	}
}

// shadow makes a file of a folder, where nobody's permissions help.
func shadow(t *testing.T, folder string) {
	t.Helper()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, 0o666); err != nil {
		t.Fatal(err)
	}
}

const prismWarning = "warning: prism, the runner that you asked for, opens a Beam job service on all network interfaces"

// warned takes the warning of a job on prism off stderr, where there must be one.
func warned(t *testing.T, o outcomeOf, runner string) outcomeOf {
	t.Helper()
	if runner != "prism" {
		return o
	}
	var first string
	if first, o.stderr, _ = strings.Cut(o.stderr, "\n"); !strings.HasPrefix(first, prismWarning) {
		t.Errorf("it begins with no warning of prism: %s", first)
	}
	return o
}
