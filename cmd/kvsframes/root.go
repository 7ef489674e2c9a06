package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const rootHelp = `kvsframes turns spans of Amazon Kinesis Video Streams archives into frames: one
image at every sampling interval, or the reason for its absence, each sample
exactly once. What a dataset already has is not fetched again, so the same
command resumes, extends and repairs.

Start with
  kvsframes demo

which needs no account: it backfills three cameras from a stand-in of the
service that runs in the same process. Then
  kvsframes backfill --help`

const statusHelp = `
Exit status: 0 complete; 1 failed, but it may pass by itself: no credentials, the
service or the store out of reach, a job that failed; 2 a person must mend something,
nothing was fetched: a mistake, a permission, a stream that is gone; 3 the end was
reached, but the dataset is not complete, has samples twice, or more gaps than
--max-gap-ratio allows; 130 interrupted, what is written stays valid.`

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
	root.SetHelpCommand(newHelp(root))
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newDemo(), newBackfill(), newStatus(), newCancel(), newVerify(), newIndex(), newRemove(), newPack(),
		newGetImages(), newServe())
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
	hint := didYouMean(args[0], cmd.CommandPath()+" ", names)
	return mistakes(fmt.Errorf("there is no command %s%s", quoted(args[0]), hint))
}

// newHelp makes the help command: cobra's own shows the help of the root, as a success, for a
// command that there is not.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil {
				return err
			}
			if err := unknownCommand(cmd, rest); err != nil {
				return err
			}
			cmd.InitDefaultHelpFlag()
			cmd.InitDefaultVersionFlag()
			return cmd.Help()
		},
	}
}

// addCompletion adds cobra's completion command, which would show its help, as a success, for
// a shell that it does not know.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	if cmd, _, err := root.Find([]string{"completion"}); err == nil && cmd != root {
		cmd.Args = unknownCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

// noArgs is cobra.NoArgs with a message that says what to do.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return mistakes(fmt.Errorf("%s is not a flag: %s takes flags only, as --name value", quoted(args[0]), cmd.Name()))
}

// flagError says what is wrong with a flag, and what it may be.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlags(cmd, unknown)
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return mistakes(fmt.Errorf("--%s has no value: write it after the flag, or leave the flag out", bare.GetFlag().Name))
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return mistakes(fmt.Errorf("--%s is %s: %s", invalid.GetFlag().Name, quoted(invalid.GetValue()), mustBe(invalid)))
	}
	if odd, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return mistakes(fmt.Errorf("%s is not a flag: write it as --name value", quoted(odd.GetSpecifiedFlag())))
	}
	return mistakes(err)
}

// mustBe says what a flag's value must be: the words of the parsers are those of Go.
func mustBe(invalid *pflag.InvalidValueError) string {
	var value any = false // the command's own flags with a parser
	if beam, ok := invalid.GetFlag().Value.(beamFlag); ok {
		getter, _ := beam.Value.(flag.Getter)
		if getter == nil {
			return invalid.Unwrap().Error()
		}
		value = getter.Get()
	}
	switch value.(type) {
	case bool:
		return "it must be true or false"
	case int, int64, uint, uint64:
		if _, err := strconv.Atoi(invalid.GetValue()); errors.Is(err, strconv.ErrRange) {
			return fmt.Sprintf("it must be a whole number up to %d", math.MaxInt)
		}
		return "it must be a whole number"
	case float64:
		return "it must be a number"
	case time.Duration:
		return "it must be a duration such as 90s or 30m"
	}
	return invalid.Unwrap().Error()
}

// unknownFlags names the flags that a command does not have. The flag parser stops at the
// first one.
func unknownFlags(cmd *cobra.Command, unknown *pflag.NotExistError) error {
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
