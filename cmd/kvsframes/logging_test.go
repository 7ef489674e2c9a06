package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
)

// Beam and its runners warn of connections that they close, sometimes.
func TestNoWarningAfterInterrupt(t *testing.T) {
	ctx, interrupt := context.WithCancel(context.Background())
	var stderr strings.Builder
	handler, err := logHandler(ctx, &stderr, "")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(handler)
	log.Warn("[SDK] before")
	interrupt()
	log.Warn("[SDK] after")
	if got, want := stderr.String(), "warning: before\n"; got != want {
		t.Errorf("stderr is %q, want %q", got, want)
	}
}
