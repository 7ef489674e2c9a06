//go:build conformance

package kvstest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// client is one of the clients that the suite drives: a program in
// testdata/clients. It reads calls and writes results, a line of JSON each, and
// makes a call as its SDK does by itself, told no more than the environment says.
type client struct {
	name    string
	command func(programs, installed string) *exec.Cmd
	// corrects: when its clock is off it tries again by the server's.
	corrects bool
	// quiet: of an error it tells the code, and no more.
	quiet bool
	// wholeSeconds: it cuts the times that it sends.
	wholeSeconds bool
}

var clients = []client{
	{name: "boto3", command: func(programs, installed string) *exec.Cmd {
		return exec.Command(installed+"/python/bin/python", programs+"/python/boto3_client.py")
	}},
	{name: "awscli", quiet: true, wholeSeconds: true, command: func(programs, installed string) *exec.Cmd {
		return exec.Command(installed+"/python/bin/python", programs+"/python/awscli_client.py")
	}},
	{name: "js", corrects: true, command: func(programs, installed string) *exec.Cmd {
		cmd := exec.Command("node", programs+"/js/client.cjs")
		cmd.Env = []string{"NODE_PATH=" + installed + "/js/node_modules"}
		return cmd
	}},
	{name: "java", corrects: true, command: func(programs, installed string) *exec.Cmd {
		return exec.Command("java", "-XX:TieredStopAtLevel=1", "-cp", installed+"/java/*", programs+"/java/Client.java")
	}},
	{name: "go", corrects: true, command: func(programs, _ string) *exec.Cmd {
		return exec.Command("go", "run", programs+"/go")
	}},
}

// An order is a call that a program is to make.
type order struct {
	Operation string         `json:"operation"`
	Input     map[string]any `json:"input"` // times as RFC 3339
	// Endpoint is where it goes. Empty: where the environment says.
	Endpoint string `json:"endpoint,omitempty"`
	// Pages is how many the client's own paginator may ask for. 0: a single
	// call, without the paginator.
	Pages int `json:"pages,omitempty"`
	// Pagination, where it is there, asks boto3 and the AWS CLI for all images as
	// one page: boto3's PaginationConfig and build_full_result.
	Pagination map[string]any `json:"pagination,omitzero"`
}

// A result is what the client made of the answers. The AWS CLI gives all
// pages as one.
type result struct {
	Pages []answered `json:"pages"`
	Error *refusal   `json:"error"`
}

// refusal is an error: its class and what that says.
type refusal struct {
	Type      string `json:"type"`
	Code      string `json:"code"`
	Status    int    `json:"status"`
	RequestID string `json:"requestId"`
}

// answered has the members of all operations' answers.
type answered struct {
	DataEndpoint   string
	StreamInfo     described
	StreamInfoList []described
	Images         []pictured
	NextToken      string
}

type described struct {
	StreamName, StreamARN, Status, MediaType, Version string
	DataRetentionInHours                              int
	CreationTime                                      instant
}

type pictured struct {
	TimeStamp    instant
	Error        string
	ImageContent []byte
}

// instant is a time as a client prints it: RFC 3339, or seconds.
type instant struct{ time.Time }

func (i *instant) UnmarshalJSON(text []byte) error {
	var seconds float64
	if json.Unmarshal(text, &seconds) == nil {
		i.Time = time.UnixMicro(int64(seconds * 1e6)).Round(time.Millisecond)
		return nil
	}
	return json.Unmarshal(text, &i.Time)
}

// program is a client that runs.
type program struct {
	cmd     *exec.Cmd
	orders  io.WriteCloser
	results *bufio.Reader
	said    bytes.Buffer // on stderr
}

// installed is where .ci/clients put what the programs need.
func installed(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KVSFRAMES_CLIENTS")
	if dir == "" {
		dir = "../../../.cache/clients"
	}
	return absolute(t, dir)
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// launch starts a client in an environment that has no AWS settings but those
// given.
func launch(t *testing.T, kind client, env ...string) *program {
	t.Helper()
	p := &program{cmd: kind.command(absolute(t, "../../../testdata/clients"), installed(t))}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Env = append(p.cmd.Env, "NO_PROXY=127.0.0.1", "AWS_CONFIG_FILE="+os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stderr = &p.said
	orders, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	results, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%v (.ci/clients installs the clients)", err)
	}
	t.Cleanup(func() {
		orders.Close()
		p.cmd.Wait()
	})
	p.orders, p.results = orders, bufio.NewReader(results)
	return p
}

func (p *program) make(t *testing.T, o order) result {
	t.Helper()
	if err := json.NewEncoder(p.orders).Encode(o); err != nil {
		t.Fatal(err)
	}
	line, err := p.results.ReadBytes('\n')
	if err != nil {
		p.cmd.Wait()
		t.Fatalf("the program ended (.ci/clients installs what it needs): %s", p.said.String())
	}
	var r result
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return r
}
