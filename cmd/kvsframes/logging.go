package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/internal/outside"
)

// startBeam initializes Beam and makes it and its runners, which log by slog, as
// quiet as asked.
func (show *output) startBeam() {
	beam.Init() // sets slog's default too
	slog.SetDefault(slog.New(show.log))
}

// logHandler returns a handler for a level that was typed. An interrupt ends ctx.
func logHandler(ctx context.Context, w io.Writer, typed string) (slog.Handler, error) {
	level := strings.ToLower(typed)
	switch level {
	case "":
		h := warnings{w: w, interrupted: ctx.Err}
		if isTerminal(w) {
			h.clear = clearLine
		}
		if f := flag.Lookup("dry_run"); f != nil && f.Value.String() == "true" {
			return dryRunLog{h}, nil
		}
		return h, nil
	case "off":
		return slog.DiscardHandler, nil
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level is %s: it must be debug, info, warn, error or off", quoted(typed))
	}
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: l, ReplaceAttr: cleanAttr}), nil
}

// cleanAttr takes what is secret out of what a record says. The handler puts what a
// terminal would obey in quotes.
func cleanAttr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString, slog.KindAny:
		text := a.Value.String()
		if clean := outside.Clean(text); clean != text {
			a.Value = slog.StringValue(clean)
		}
	}
	return a
}

// warnings shows warnings alone, a line each. Errors are shown by the command that
// returns them: a runner logs the one that ends a job up to six times, with the graph
// and the stack. After an interrupt it shows none of prism's workers': they complain
// of the connections that prism closes.
type warnings struct {
	w           io.Writer
	clear       string       // removes the line of progress
	interrupted func() error // nil as long as nobody did
}

func (h warnings) Enabled(_ context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && l < slog.LevelError
}

func (h warnings) Handle(_ context.Context, r slog.Record) error {
	// Prism passes on what its workers log, with this before it.
	message, ofWorker := strings.CutPrefix(r.Message, "[SDK] ")
	if ofWorker && h.interrupted() != nil {
		return nil
	}
	line, _, _ := strings.Cut(message, "\n")
	_, err := fmt.Fprintf(h.w, "%swarning: %s\n", h.clear, outside.Text(line))
	return err
}

// dryRunLog shows warnings, and what Beam prints of a job that is not submitted.
type dryRunLog struct{ warnings }

func (h dryRunLog) Enabled(_ context.Context, l slog.Level) bool {
	return l >= slog.LevelInfo && l < slog.LevelError
}

func (h dryRunLog) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		return h.warnings.Handle(ctx, r)
	}
	_, err := fmt.Fprintln(h.w, outside.Clean(r.Message))
	return err
}

func (h dryRunLog) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h dryRunLog) WithGroup(string) slog.Handler      { return h }

func (h warnings) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h warnings) WithGroup(string) slog.Handler      { return h }
