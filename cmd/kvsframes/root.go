package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const rootHelp = `kvsframes turns spans of Amazon Kinesis Video Streams archives into frames: one
image at every sampling interval, or the reason why there is none, each sample
exactly once. What a dataset already has is not fetched again, so the same
command resumes, extends and repairs.

Start with
  kvsframes demo

which needs no account: it backfills three cameras from a stand-in of the
service that runs in the same process. Then
  kvsframes backfill --help`

const statusHelp = `
Exit status: 0 complete; 1 the job failed; 2 a mistake, nothing was fetched; 3 the
end was reached, but the dataset is not complete, or has samples twice; 130
interrupted, what is written stays valid.`

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "kvsframes",
		Short:         "Turn Kinesis Video Streams archives into frames",
		Long:          rootHelp,
		Args:          unknownCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		root.Version = info.Main.Version
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newDemo(), newBackfill(), newStatus(), newCancel(), newVerify(), newIndex(), newPack(), newGetImages(),
		newServe())
	return root
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return mistakes(fmt.Errorf("unknown command %q%s", args[0], didYouMean(args[0], "kvsframes ", names)))
}

// noArgs is cobra.NoArgs with a message that says what to do.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return mistakes(fmt.Errorf("%q is not a flag: %s takes flags only, as --name value", args[0], cmd.Name()))
}

// flagError says which flag was meant. The flag parser stops at the first
// unknown one; all of them are told.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return mistakes(err)
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, f.Name)
		}
	})
	var faults []error
	for _, arg := range typedArgs(cmd) {
		name, isFlag := strings.CutPrefix(arg, "--")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && name != "" && cmd.Flags().Lookup(name) == nil {
			faults = append(faults, fmt.Errorf("unknown flag --%s%s", name, didYouMean(name, "--", known)))
		}
	}
	if len(faults) == 0 {
		name := unknown.GetSpecifiedName()
		faults = append(faults, fmt.Errorf("unknown flag -%s%s", name, didYouMean(name, "--", known)))
	}
	return mistakes(faults...)
}

// typedArgs returns what was typed: cobra does not hand it to an error function.
func typedArgs(cmd *cobra.Command) []string {
	args, _ := cmd.Context().Value(argsKey{}).([]string)
	return args
}

type argsKey struct{}
