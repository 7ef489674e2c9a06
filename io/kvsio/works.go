package kvsio

import (
	"flag"
	"strconv"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
)

const (
	// drainShards is how many shards a work holds for each that is in flight: it
	// ends with its slots emptying one by one, and that must not count.
	drainShards = 4

	// mostWorks keeps the job small. It is as many as Dataflow starts workers.
	mostWorks = 1000
)

// sized returns p with the number of works that the runner and Beam's flags call
// for, unless the plan decides it. It is called where the pipeline is made: a worker
// that plans has none of the flags.
func (p ReadParams) sized() ReadParams {
	if p.Runner == "" {
		p.Runner = beamFlag("runner")
	}
	loopback := strings.EqualFold(beamFlag("environment_type"), "LOOPBACK")
	switch {
	case p.Works != 0:
	case isRunner(p.Runner, "dataflow"):
	case isRunner(p.Runner, "direct") || isRunner(p.Runner, "prism"):
		p.Works = 1
	case p.Runner != "" && !isRunner(p.Runner, "flink") && loopback:
		p.Works = 1
	default:
		slots, _ := strconv.Atoi(beamFlag("parallelism"))
		p.Works = max(1, slots)
	}
	return p
}

// works returns how many works a plan of the spans is cut into.
func (p ReadParams) works(spans []frame.Span) int {
	if p = p.sized(); p.Works != 0 {
		return p.Works
	}
	perWork := int64(drainShards * p.MaxInFlight)
	shards := frame.Count(spans) / int64(p.ShardSamples)
	return int(min(max(shards/perWork, 1), mostWorks))
}

// isRunner reports whether a runner goes by a short name, or by the one that Java
// has for it.
func isRunner(runner, short string) bool {
	return runner == short || strings.EqualFold(runner, short+"Runner")
}

// beamFlag returns the value of a flag of Beam's, empty where the program has no
// such flag: only programs that can submit to a job server import some of them.
func beamFlag(name string) string {
	if f := flag.Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}
