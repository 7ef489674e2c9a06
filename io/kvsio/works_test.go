package kvsio_test

import (
	"flag"
	"testing"
	"time"

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners" // its flag

	"github.com/kvsframes/kvsframes/io/kvsio"
)

func setFlag(t *testing.T, name, value string) {
	t.Helper()
	before := flag.Lookup(name).Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { flag.Set(name, before) })
}

// TestWorks: a plan is cut into as many works as its runner can use.
func TestWorks(t *testing.T) {
	for _, c := range []struct {
		runner      string
		flag        string // --runner
		parallelism string
		environment string
		given       int
		samples     int
		want        int
	}{
		{runner: "prism", parallelism: "6", samples: 1_000_000, want: 1}, // it splits it when it likes
		{runner: "direct", parallelism: "6", samples: 1_000_000, want: 1},
		{runner: "DirectRunner", parallelism: "6", samples: 1_000_000, want: 1},
		{runner: "flink", parallelism: "6", samples: 1_000_000, want: 6},
		{runner: "FlinkRunner", parallelism: "6", environment: "LOOPBACK", samples: 1_000_000, want: 6},
		{runner: "universal", parallelism: "6", samples: 1_000_000, want: 6},
		{runner: "universal", parallelism: "6", environment: "LOOPBACK", samples: 1_000_000, want: 1},
		{runner: "flink", parallelism: "6", samples: 400, want: 4}, // of a shard each
		{parallelism: "6", samples: 1_000_000, want: 6},
		{parallelism: "6", environment: "LOOPBACK", samples: 1_000_000, want: 6},
		{flag: "direct", parallelism: "6", samples: 1_000_000, want: 1},
		{flag: "direct", runner: "flink", parallelism: "6", samples: 1_000_000, want: 6},
		{parallelism: "-1", samples: 1_000_000, want: 1}, // not set
		{runner: "dataflow", parallelism: "6", given: 7, samples: 1_000_000, want: 7},
		{runner: "direct", given: 7, parallelism: "6", samples: 1_000_000, want: 7},
		{runner: "dataflow", parallelism: "6", samples: 200, want: 1},
		{runner: "dataflow", parallelism: "6", samples: 2 * 128 * 100, want: 2},
		{runner: "dataflow", parallelism: "6", samples: 1_000_000_000, want: 1000},
	} {
		setFlag(t, "runner", c.flag)
		setFlag(t, "parallelism", c.parallelism)
		setFlag(t, "environment_type", c.environment)
		// Of two streams: works are cut from both.
		half := time.Duration(c.samples/2) * time.Second / 5
		requests := []kvsio.Request{request("a", newYear, half), request("b", newYear, half)}
		for i := range requests {
			requests[i].SamplingInterval = time.Second / 5
		}
		p := kvsio.ReadParams{PlanParams: kvsio.PlanParams{MinInterval: time.Second / 5, Runner: c.runner, Works: c.given}}
		plan, err := kvsio.NewPlan(t.Context(), p, requests)
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Works) != c.want {
			t.Errorf("%+v: %d works", c, len(plan.Works))
		}
	}
}
