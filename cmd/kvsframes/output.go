package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/internal/scratch"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/pack"
	"github.com/kvsframes/kvsframes/pipeline"
)

// output is how a command shows what it does. Results go to stdout, and nothing
// else does; progress and logs go to stderr.
type output struct {
	json, quiet *bool
	level       *text
}

func newOutput(flags *pflag.FlagSet) *output {
	return &output{
		json:  flags.Bool("json", false, "print the result as one JSON object"),
		quiet: flags.Bool("quiet", false, "show no progress"),
		level: textFlag(flags, "log-level", "`level` of Beam's log: debug, info, warn, error or off (default: warnings alone; what fails is told anyway)"),
	}
}

// print prints a result, as JSON or as text for people.
func (show *output) print(w io.Writer, result any, text func() string) error {
	if !*show.json {
		_, err := io.WriteString(w, outside.Clean(text()))
		return err
	}
	line, err := json.Marshal(result)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", outside.JSON(line))
	return err
}

// backfill runs one and prints its summary, also where the dataset is not
// complete after it.
func (show *output) backfill(cmd *cobra.Command, o pipeline.Options) error {
	summary, err := show.run(cmd, o)
	if summary.Schema == "" {
		return err
	}
	return errors.Join(show.print(cmd.OutOrStdout(), summary, func() string { return summaryText(summary, err == nil) }), err)
}

// run runs a backfill and shows its progress.
func (show *output) run(cmd *cobra.Command, o pipeline.Options) (pipeline.Summary, error) {
	line := show.progress(cmd)
	defer line.end()
	o.Progress = line.show
	defer ownTempDir()()
	summary, err := pipeline.Backfill(cmd.Context(), o)
	return summary, inFlags(err)
}

// ownTempDir gives this process a folder for temporary files of its own: Beam
// leaves one behind with each job.
func ownTempDir() (remove func()) {
	dir, remove, err := scratch.Make("", "kvsframes-")
	if err != nil {
		return func() {}
	}
	os.Setenv("TMPDIR", dir)
	return remove
}

// inFlags says what is wrong with a backfill in the words of its flags.
func inFlags(err error) error {
	var early *pipeline.UsageError
	if !errors.As(err, &early) {
		return err
	}
	faults := make([]error, len(early.Faults))
	for i, fault := range early.Faults {
		faults[i] = inFlag(fault)
	}
	told := mistakes(faults...)
	if typed := (*usageError)(nil); errors.As(told, &typed) {
		typed.begun = early.Begun
	}
	return told
}

// flagged takes apart what names a fault a line.
func flagged(err error) (faults []error) {
	if err == nil {
		return nil
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		faults = append(faults, inFlag(errors.New(line)))
	}
	return faults
}

func inFlag(fault error) error {
	text := fault.Error()
	if other := (*dataset.MismatchError)(nil); errors.As(fault, &other) {
		text = strings.ReplaceAll(text, other.Field, "--"+other.Field)
		if other.Field == "transforms" { // which are flags of their own
			text = fmt.Sprintf("--resize, --dedupe and --tensor come to %v, but the dataset %s has %v: leave them out, or choose another --out",
				other.Want, other.Dir, other.Have)
		}
	}
	if other := (*pack.MismatchError)(nil); errors.As(fault, &other) {
		text = "--" + text
	}
	if unknown := (*pack.UnknownStreamError)(nil); errors.As(fault, &unknown) {
		text = "--stream-name: " + text + didYouMean(unknown.Stream, "", unknown.Known)
	}
	if wrong := (*kvsio.RequestError)(nil); errors.As(fault, &wrong) {
		text = translate(text, field.flag)
	}
	return errors.New(flagWords.Replace(text))
}

var flagWords = strings.NewReplacer(
	"or give one", "or give --aws-region",
	"AWS.Region", "--aws-region",
	"name a profile", "name a profile with --aws-profile",
	"Runner is", "--runner is",
	"Out is", "--out is",
	"EndpointURL is", "--aws-endpoint-url is",
	"EndpointURL names", "--aws-endpoint-url names",
	"WebIdentity is", "--aws-web-identity is",
	"RoleARN is", "--aws-role-arn is",
	"without RoleARN", "without --aws-role-arn",
)
