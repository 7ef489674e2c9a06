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
	exitFailed      = 1   // the job failed
	exitUsage       = 2   // a mistake that was found before anything was fetched
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
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	status := exitStatus(err)
	fmt.Fprint(stderr, complaint(cmd.CommandPath(), err, status))
	return status
}

// usageError is a mistake in what was typed.
type usageError struct {
	faults []error
	begun  string // the place that was begun all the same; mostly empty
}

func (e *usageError) Error() string   { return errors.Join(e.faults...).Error() }
func (e *usageError) Unwrap() []error { return e.faults }

// incompleteError is a dataset that was looked at and is not complete.
type incompleteError string

func (e incompleteError) Error() string { return string(e) }

// mistakes returns a *usageError of faults, each of them once, or nil.
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
	return &usageError{faults: once}
}

// errStopped is of a command that begins again where it was interrupted, unlike a backfill.
var errStopped = errors.New("interrupted: the same command begins again")

// interrupted returns err, or errStopped in place of an error that comes of an interrupt.
func interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return errStopped
	}
	return err
}

func exitStatus(err error) int {
	var typed *usageError
	var early *pipeline.UsageError
	var incomplete *pipeline.IncompleteError
	var looked incompleteError
	switch {
	case errors.As(err, &typed), errors.As(err, &early):
		return exitUsage
	case errors.As(err, &incomplete), errors.As(err, &looked):
		return exitIncomplete
	case errors.Is(err, pipeline.ErrInterrupted), errors.Is(err, errStopped):
		return exitInterrupted
	}
	return exitFailed
}

// complaint is what stderr gets: a line, or a line for each of several mistakes.
func complaint(command string, err error, status int) string {
	lines := strings.Split(outside.Clean(strings.TrimSpace(err.Error())), "\n")
	var typed *usageError
	if errors.As(err, &typed) && len(typed.faults) > 1 {
		lines = append([]string{fmt.Sprintf("%d mistakes", len(typed.faults))}, lines...)
	}
	if last := &lines[len(lines)-1]; strings.HasSuffix(*last, syscall.EMFILE.Error()) {
		*last += openFilesHint()
	}
	text := command + ": " + strings.Join(lines, "\n  ") + "\n"
	if status == exitUsage {
		done := "Nothing was done."
		if typed != nil && typed.begun != "" {
			done = outside.Clean(typed.begun) + " was begun: what is written there stays, " +
				"and the same command goes on from there."
		}
		text += fmt.Sprintf("%s See %s --help.\n", done, command)
	}
	return text
}
