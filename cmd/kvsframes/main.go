// Command kvsframes turns spans of Amazon Kinesis Video Streams archives into
// datasets of frames. "kvsframes --help" says how, "kvsframes demo" shows it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/kvsframes/kvsframes/internal/outside"
	_ "github.com/kvsframes/kvsframes/io/store/gcsstore"
	_ "github.com/kvsframes/kvsframes/io/store/s3store"
	"github.com/kvsframes/kvsframes/pipeline"
)

// The command's exit statuses.
const (
	exitFailed      = 1   // what may pass by itself, or an error of the job
	exitUsage       = 2   // a person must mend something; nothing was fetched
	exitIncomplete  = 3   // the end was reached, but the dataset is not complete
	exitInterrupted = 130 // what is written stays valid
)

func main() {
	pipeline.Init()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	askForMFA(ctx)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	addCompletion(root)
	ctx = context.WithValue(ctx, argsKey{}, args)
	root.SetArgs(args)
	out := &watched{Writer: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	status := exitStatus(err)
	fmt.Fprint(stderr, complaint(cmd.CommandPath(), err, status))
	if !out.written && wantsJSON(cmd, args) {
		printFailure(out, cmd, err)
	}
	return status
}

// incompleteError is a dataset that was looked at and is not complete.
type incompleteError string

func (e incompleteError) Error() string { return string(e) }

// mistakes returns a *pipeline.UsageError of faults, each of them once, or nil.
func mistakes(faults ...error) error {
	var once []error
	seen := map[string]bool{}
	for _, f := range faults {
		if f != nil && !seen[f.Error()] {
			seen[f.Error()] = true
			once = append(once, f)
		}
	}
	if len(once) == 0 {
		return nil
	}
	return &pipeline.UsageError{Faults: once}
}

// errStopped is of a command that begins again where it was interrupted, unlike a backfill.
var errStopped error = &renamed{"interrupted: the same command begins again", context.Canceled}

// interrupted returns err, or errStopped in place of an error that comes of an interrupt.
func interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return errStopped
	}
	return err
}

// statusOf returns the status that a command ends with.
func statusOf(err error) pipeline.Status {
	var looked incompleteError
	switch {
	case errors.As(err, &looked):
		return pipeline.StatusIncomplete
	case errors.Is(err, errStopped):
		return pipeline.StatusInterrupted
	}
	return pipeline.StatusOf(err)
}

func exitStatus(err error) int {
	switch statusOf(err) {
	case pipeline.StatusRefused:
		return exitUsage
	case pipeline.StatusIncomplete:
		return exitIncomplete
	case pipeline.StatusInterrupted:
		return exitInterrupted
	}
	return exitFailed
}

// complaint is what stderr gets: a line, or a line for each of several mistakes.
func complaint(command string, err error, status int) string {
	lines := strings.Split(outside.Clean(strings.TrimSpace(err.Error())), "\n")
	var early *pipeline.UsageError
	if errors.As(err, &early) && len(early.Faults) > 1 {
		what := "mistakes"
		if status == exitFailed {
			what = "errors"
		}
		lines = append([]string{fmt.Sprintf("%d %s", len(early.Faults), what)}, lines...)
	}
	if last := &lines[len(lines)-1]; strings.HasSuffix(*last, syscall.EMFILE.Error()) {
		*last += openFilesHint()
	}
	text := command + ": " + strings.Join(lines, "\n  ") + "\n"
	if early == nil {
		return text
	}
	switch {
	case early.Begun != "":
		text += outside.Clean(early.Begun) + " was begun: what is written there stays, and the same command goes on from there."
	case status == exitFailed:
		text += "Nothing was done: it may pass, then the same command comes through."
	default:
		text += "Nothing was done."
	}
	if status == exitUsage {
		text += fmt.Sprintf(" See %s --help.", command)
	}
	return text + "\n"
}
