package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
)

// A job that may go on on its cluster is told of after an interrupt, too.
func TestWarningsAfterInterrupt(t *testing.T) {
	ctx, interrupt := context.WithCancel(context.Background())
	var stderr strings.Builder
	handler, err := logHandler(ctx, &stderr, "")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(handler)
	log.Warn("[SDK] a shard could not be fetched")
	interrupt()
	log.Warn("[SDK] EOF on send")
	log.Warn("the job may go on")
	if got, want := stderr.String(), "warning: a shard could not be fetched\nwarning: the job may go on\n"; got != want {
		t.Errorf("stderr is %q, want %q", got, want)
	}
}
