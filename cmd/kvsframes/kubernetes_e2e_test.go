//go:build e2e

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// manifest is what a test looks at in a Kubernetes manifest.
type manifest struct {
	Kind string
	Spec struct {
		FlinkVersion string `yaml:"flinkVersion"`
		Template     struct {
			Spec struct {
				Containers []struct {
					Image         string
					Command, Args []string
				}
			}
		}
	}
}

func manifests(t *testing.T) map[string]manifest {
	t.Helper()
	text, err := os.ReadFile("../../testdata/flink/kubernetes/cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]manifest{}
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var m manifest
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		found[m.Kind] = m
	}
}

// The manifests say what this build takes: the versions that are tested, one path
// of the command, and flags that a backfill accepts, all but the job server.
func TestKubernetesManifests(t *testing.T) {
	t.Parallel()
	found := manifests(t)
	job := found["Job"].Spec.Template.Spec.Containers[0]
	path := job.Command[0]
	server := found["Deployment"].Spec.Template.Spec.Containers[0]
	for file, wants := range map[string][]string{
		"Dockerfile": {"FROM flink:1.19-", "COPY kvsframes " + path + "\n"},
		"../pom.xml": {"<artifactId>beam-runners-flink-1.19</artifactId>\n      <version>2.62.0</version>"},
		"../cluster": {"--job-host=", "--job-port=", "--artifact-port=", "--expansion-port=0"},
	} {
		text, err := os.ReadFile("../../testdata/flink/kubernetes/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s does not have %q", file, want)
			}
		}
	}
	if v := found["FlinkDeployment"].Spec.FlinkVersion; v != "v1_19" ||
		server.Image != "apache/beam_flink1.19_job_server:2.62.0" {
		t.Errorf("Flink %s, %s", v, server.Image)
	}
	environment := ""
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{{
		Name: "front-door", Media: []kvstest.Range{{From: demoStart, To: demoStart.Add(60 * 24 * time.Hour)}},
	}}})
	args := job.Args
	for i, arg := range args {
		switch name, value, _ := strings.Cut(arg, "="); name {
		case "--out":
			args[i] = "--out=out"
		case "--aws-region":
			args[i] = "--aws-region=" + u.server.Region
		case "--endpoint":
			args[i] = "--endpoint=127.0.0.1:1"
		case "--environment_config":
			environment = value
		}
	}
	if want := `{"command": "` + path + `"}`; environment != want {
		t.Errorf("workers are started by %s, want %s", environment, want)
	}
	o := u.run(args...)
	if o.status != 2 || !strings.HasPrefix(o.stderr,
		`kvsframes backfill: --endpoint is "127.0.0.1:1": there is no Beam job server`) {
		t.Errorf("exit status %d: %s", o.status, o.stderr)
	}
}
