package main

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kvsframes/kvsframes/internal/card"
)

// Beam looks at what flag.Visit shows: a flag that only pflag knows of would be
// ignored.
func TestBeamFlagsReachBeam(t *testing.T) {
	jobopts.ResourceHints = nil // of an earlier run of this test
	cmd := newBackfill()
	err := cmd.ParseFlags([]string{
		"--parallelism=7", "--environment_type", "PROCESS", "--retain_docker_containers",
		"--resource_hints=min_ram=1GB", "--resource_hints=cpu_count=2", "--runner=direct",
	})
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	flag.Visit(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") {
			seen = append(seen, f.Name)
		}
	})
	want := []string{"environment_type", "parallelism", "resource_hints", "retain_docker_containers", "runner"}
	if !slices.Equal(seen, want) {
		t.Errorf("flag.Visit shows %v, want %v", seen, want)
	}
	if *jobopts.Parallelism != 7 || *jobopts.EnvironmentType != "PROCESS" || !*jobopts.RetainDockerContainers ||
		len(jobopts.ResourceHints) != 2 {
		t.Errorf("Beam has parallelism %d, environment %s, hints %v", *jobopts.Parallelism, *jobopts.EnvironmentType,
			jobopts.ResourceHints)
	}
}

// Every flag that help shows explains itself, and every command has examples.
func TestHelpTeaches(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		if cmd.Example == "" || cmd.Long == "" {
			t.Errorf("%s has no example or no text", cmd.Name())
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s is not explained", cmd.Name(), f.Name)
			}
		})
		for _, line := range strings.Split(cmd.Example, "\n") {
			checkExample(t, cmd, line)
		}
	}
}

// checkExample makes sure that an example names no flag that is not there.
func checkExample(t *testing.T, cmd *cobra.Command, line string) {
	t.Helper()
	for _, word := range strings.Fields(line) {
		if name, ok := strings.CutPrefix(word, "--"); ok && cmd.Flags().Lookup(name) == nil {
			t.Errorf("%s: the example %q has an unknown flag", cmd.Name(), line)
		}
	}
}

func TestHumanNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := card.Number(n); got != want {
			t.Errorf("number(%d) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 12_345_678: "12.3 MB",
		999_600_000: "1.0 GB", 150_000_000_000: "150 GB",
	} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
}
