package beamrun

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	_ "github.com/kvsframes/kvsframes/io/store/memstore" // mem://
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

// setFlag sets a flag of Beam's for a test.
func setFlag(t *testing.T, name, value string) {
	t.Helper()
	f := flag.Lookup(name)
	before := f.Value.String()
	t.Cleanup(func() { f.Value.Set(before) })
	if err := f.Value.Set(value); err != nil {
		t.Fatal(err)
	}
}

// TestNamed: a runner is found by each name that Beam has for it, and by no other.
func TestNamed(t *testing.T) {
	for name, want := range map[string]struct {
		runner         Runner
		local, flagged bool
	}{
		"":               {direct{}, true, false},
		"direct":         {direct{}, true, false},
		"DirectRunner":   {direct{}, true, false},
		"prism":          {prism{portable{name: "prism"}}, true, false},
		"PrismRunner":    {prism{portable{name: "PrismRunner"}}, true, false},
		"flink":          {flink{portable{name: "flink"}}, false, true},
		"FlinkRunner":    {flink{portable{name: "FlinkRunner"}}, false, true},
		"dataflow":       {dataflow{}, false, true},
		"DataflowRunner": {dataflow{}, false, true},
		"universal":      {portable{name: "universal"}, false, true},
		"PortableRunner": {portable{name: "PortableRunner"}, false, true},
		"portable":       {portable{name: "portable"}, false, true},
	} {
		if got := Named(name); got != want.runner || got.IsLocal() != want.local {
			t.Errorf("%q is %#v, local: %v", name, got, got.IsLocal())
		}
		if err := Check(name); (err != nil) != want.flagged {
			t.Errorf("%q without flags: %v", name, err)
		}
	}
	if err := Check("direkt"); err == nil || !strings.Contains(err.Error(), `"direkt", which is not linked`) {
		t.Errorf("%v", err)
	}
}

// TestLoopback: with LOOPBACK, workers are of this process wherever a job server is.
func TestLoopback(t *testing.T) {
	setFlag(t, "environment_type", "loopback")
	for name, want := range map[string]bool{"flink": true, "universal": true, "dataflow": false, "direct": true} {
		if got := Named(name).IsLocal(); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A dry run is Dataflow's alone: other runners would run the job.
func TestDryRun(t *testing.T) {
	setFlag(t, "dry_run", "true")
	for name, refused := range map[string]bool{
		"dataflow": false, "": true, "direct": true, "prism": true, "flink": true, "universal": true,
	} {
		if err := fmt.Sprint(Check(name)); strings.Contains(err, "--dry_run is for") != refused {
			t.Errorf("%s: %s", name, err)
		}
	}
}

// Each of Dataflow's workers would write into a folder, or a memory, of its own.
func TestDataflowPlace(t *testing.T) {
	for place, refused := range map[string]bool{
		"frames": true, "file:///frames": true, "mem://archive/frames": true, "gs://archive/frames": false,
		"s3://archive/frames": false,
	} {
		if err := Named("dataflow").CheckPlace("Out", place); (err != nil) != refused {
			t.Errorf("%s: %v", place, err)
		}
	}
}
