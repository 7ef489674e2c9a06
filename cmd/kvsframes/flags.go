package main

import (
	"flag"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/spf13/pflag"
)

// text is a flag that is parsed after all flags are read, so that everything
// that is wrong with them can be reported at once.
type text string

func (t *text) Set(s string) error { *t = text(s); return nil }
func (t *text) String() string     { return string(*t) }
func (t *text) Type() string       { return "text" }

// textFlag adds a flag. What stands in backquotes in the usage names its value
// in the help.
func textFlag(flags *pflag.FlagSet, name, usage string) *text {
	t := new(text)
	flags.Var(t, name, usage)
	return t
}

// beamFlag is a flag of Beam's under its own name. It is set through the flag
// package, because Beam reads the flags that flag.Visit shows, and so that one
// that may be repeated is set once a time.
type beamFlag struct{ *flag.Flag }

func (f beamFlag) Set(s string) error { return flag.CommandLine.Set(f.Name, s) }
func (f beamFlag) String() string     { return f.Value.String() }
func (f beamFlag) Type() string       { return "beam" }

// addBeamFlags adds all of Beam's flags. All but --runner are hidden: --help
// would be lost among them.
func addBeamFlags(flags *pflag.FlagSet) {
	flag.VisitAll(func(f *flag.Flag) {
		if flags.Lookup(f.Name) != nil {
			panic(fmt.Sprintf("--%s is Beam's", f.Name))
		}
		added := flags.VarPF(beamFlag{f}, f.Name, "", f.Usage)
		added.Hidden = f.Name != "runner"
		if !added.Hidden {
			added.Usage = "Beam `runner` that runs the job: direct, dataflow, flink or universal with Beam's --endpoint, or " +
				"prism, which runs any program for anyone who can connect to its port (default direct)"
		}
		if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
			added.NoOptDefVal = "true"
		}
	})
}

// checkEndpoint returns an error where --endpoint is given to a runner that takes no
// notice of it: the job would run elsewhere than was meant.
func checkEndpoint(runner string) error {
	if *jobopts.Endpoint == "" {
		return nil
	}
	switch runner {
	case "", "direct", "DirectRunner", "dataflow", "DataflowRunner":
		return fmt.Errorf("--endpoint is %q, the address of a job server: it is for --runner flink or universal; name one "+
			"of them, or leave it out",
			*jobopts.Endpoint)
	}
	return nil
}
