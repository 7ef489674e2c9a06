//go:build e2e

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

var (
	readmeCommand = regexp.MustCompile(`(?m)^# (on .*)\nkvsframes ((?:.*\\\n)*.*)$`)
	shellWord     = regexp.MustCompile(`'[^']*'|\S+`)
	readmeProgram = regexp.MustCompile("(?s)```go\n(package main\n.*?)```")
)

// readme returns the arguments of the command that README.md shows under a comment,
// with other values in place of some that are somebody's own.
func readme(t *testing.T, comment string, others map[string]string) []string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range readmeCommand.FindAllStringSubmatch(string(text), -1) {
		if !strings.HasPrefix(found[1], comment) {
			continue
		}
		var args []string
		for _, word := range shellWord.FindAllString(strings.ReplaceAll(found[2], "\\\n", " "), -1) {
			word = strings.Trim(word, "'")
			if other, ok := others[word]; ok {
				word = other
			}
			args = append(args, word)
		}
		return args
	}
	t.Fatalf("README.md has no command %q", comment)
	return nil
}

// requestsOf has the user ask for what the commands of README.md do.
func (u *user) requestsOf(streams ...string) *user {
	var text strings.Builder
	for _, name := range streams {
		text.WriteString("- {stream_name: " + name + ", start_timestamp: 2026-01-01T00:00:00Z, end_timestamp: " +
			"2026-01-01T00:10:00Z}\n")
	}
	u.write("cameras.yaml", text.String())
	return u
}

// TestReadme runs the commands of README.md that need no cluster of ours.
func TestReadme(t *testing.T) {
	t.Parallel()
	u := generic(newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam"), camera("yard")}})).requestsOf("cam",
		"yard")
	b := newBucket(t)
	u.must(0, readme(t, "on this machine", map[string]string{"s3://archive/frames?region=eu-west-1": b.out})...)
	wants(t, object(t, u.must(0, "verify", b.out, "--json")), map[string]any{"complete": true, "frames": 400})
}

func TestReadmeOnDataflow(t *testing.T) {
	t.Parallel()
	u, c := dataflowUser(t, kvstest.Config{
		Region: "eu-west-1", Roles: []string{testRole},
		Streams: []kvstest.Stream{camera("cam"), camera("yard")},
	})
	u.requestsOf("cam", "yard")
	args := readme(t, "on Dataflow", map[string]string{"my-project": "vision"})
	u.must(0, append(args, "--dataflow_endpoint", c.api.URL+"/")...)
	wants(t, object(t, u.must(0, "verify", "gs://archive/frames", "--json")),
		map[string]any{"complete": true, "frames": 400})
}

// TestReadmeProgram builds the program of README.md as it stands and runs it.
func TestReadmeProgram(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := readmeProgram.FindSubmatch(text)
	if found == nil {
		t.Fatal("README.md has no program")
	}
	door := camera("front-door")
	began := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	door.Media = []kvstest.Range{{From: began.Add(time.Minute), To: began.Add(time.Hour)}}
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{door}})
	u.write("main.go", string(found[1]))
	program := filepath.Join(u.dir, "program")
	if out, err := exec.Command("go", "build", "-o", program,
		filepath.Join(u.dir, "main.go")).CombinedOutput(); err != nil {
		t.Fatalf("building it: %v\n%s", err, out)
	}
	run := exec.Command(program, "--runner", "direct")
	run.Dir, run.Env = u.dir, u.env
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("running it: %v\n%s", err, out)
	}
	if got := u.lines("sizes.txt"); len(got) != 9 || !strings.HasPrefix(got[0], "front-door at 10:01: ") {
		t.Errorf("sizes.txt holds %q", got)
	}
	if got := u.lines("gaps.txt"); !slices.Equal(got, []string{"NO_MEDIA: 20 samples"}) {
		t.Errorf("gaps.txt holds %q", got)
	}
}

// lines returns the lines of a file of the user's, in order.
func (u *user) lines(name string) []string {
	u.t.Helper()
	text, err := os.ReadFile(filepath.Join(u.dir, name))
	if err != nil {
		u.t.Fatal(err)
	}
	return slices.Sorted(strings.SplitSeq(strings.TrimSpace(string(text)), "\n"))
}
