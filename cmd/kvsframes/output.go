package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/internal/scratch"
	"github.com/kvsframes/kvsframes/pipeline"
)

// output is how a command shows what it does. Results go to stdout, and nothing
// else does; progress and logs go to stderr.
type output struct {
	json, quiet  *bool
	progressForm *text
	log          slog.Handler // as --log-level asks, once the command runs
}

// newOutput adds the flags of output to cmd, which refuses to run with an unknown level.
func newOutput(cmd *cobra.Command) *output {
	flags := cmd.Flags()
	show := &output{
		json:  flags.Bool("json", false, "print the result as one JSON object"),
		quiet: flags.Bool("quiet", false, "show no progress"),
		progressForm: textFlag(flags, "progress", "`form` of progress: auto, one line that is drawn again on a terminal and a line "+
			"every 30 seconds elsewhere, or plain, for logs: a line every 30 seconds (default auto)"),
	}
	level := textFlag(flags, "log-level", "`level` of Beam's log: debug, info, warn, error or off (default: warnings "+
		"alone; errors are always shown)")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) (err error) {
		show.log, err = logHandler(cmd.Context(), cmd.ErrOrStderr(), string(*level))
		return mistakes(err, show.checkProgress())
	}
	return show
}

func (show *output) checkProgress() error {
	switch form := string(*show.progressForm); form {
	case "", "auto", "plain":
		return nil
	default:
		return fmt.Errorf("--progress is %s: it must be auto or plain; --quiet shows none", quoted(form))
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

// summary prints the summary of a backfill that ended with err, also where the dataset is not
// complete after it, and returns err.
func (show *output) summary(cmd *cobra.Command, s pipeline.Summary, err error) error {
	if s.Schema == "" {
		return err
	}
	if err != nil && s.Error == nil && s.Reason == "" { // after the backfill
		s.Status, s.Error = statusOf(err), problemOf(err)
	}
	return errors.Join(show.print(cmd.OutOrStdout(), s, func() string { return summaryText(s, err == nil) }), err)
}

// run runs a backfill and shows its progress.
func (show *output) run(cmd *cobra.Command, o pipeline.Options) (pipeline.Summary, error) {
	line := show.progress(cmd)
	defer line.end()
	o.Progress = line.show
	defer ownTempDir()()
	summary, err := pipeline.Backfill(cmd.Context(), o)
	err = backfillNames.translate(err)
	if summary.Error != nil {
		summary.Error = pipeline.ProblemOf(err)
	}
	if summary.Reason != "" {
		summary.Reason = outside.Clean(err.Error())
	}
	return summary, err
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
