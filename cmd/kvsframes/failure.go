package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/pipeline"
)

// failure is the JSON of a command that ended before it had a result.
type failure struct {
	Schema string            `json:"schema"`
	Status pipeline.Status   `json:"status"`
	Error  *pipeline.Problem `json:"error"`
}

// watched knows whether something was written.
type watched struct {
	io.Writer
	written bool
}

func (w *watched) Write(p []byte) (int, error) {
	w.written = w.written || len(p) > 0
	return w.Writer.Write(p)
}

// wantsJSON reports whether a command was called with --json: also where the parser stopped
// before it.
func wantsJSON(cmd *cobra.Command, args []string) bool {
	flag := cmd.Flags().Lookup("json")
	if flag == nil {
		return false
	}
	if flag.Changed {
		return flag.Value.String() == "true"
	}
	return slices.ContainsFunc(args, func(arg string) bool {
		value, ok := strings.CutPrefix(arg, "--json=")
		is, err := strconv.ParseBool(value)
		return arg == "--json" || ok && is && err == nil
	})
}

// printFailure prints the failure of a command that has no result, for programs.
func printFailure(w io.Writer, cmd *cobra.Command, err error) {
	schema := "kvsframes." + cmd.Name() + "/1"
	switch cmd.Name() {
	case "status", "cancel":
		schema = pipeline.JobSchema
	}
	line, _ := json.Marshal(failure{schema, statusOf(err), problemOf(err)})
	fmt.Fprintf(w, "%s\n", outside.JSON(line))
}

// problemOf returns an error as a program reads it: null where a dataset is merely not complete.
func problemOf(err error) *pipeline.Problem {
	if statusOf(err) == pipeline.StatusIncomplete {
		return nil
	}
	return pipeline.ProblemOf(err)
}
