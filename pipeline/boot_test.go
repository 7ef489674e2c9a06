package pipeline

import (
	"strings"
	"testing"
)

func TestIsWorker(t *testing.T) {
	for args, want := range map[string]bool{
		"--worker=true --id=1 --control_endpoint=localhost:1": true,
		"--id=1 --worker":            true,
		"-worker=true":               true,
		"--worker=false":             false,
		"--worker_binary=x backfill": false,
		"backfill --worker=true":     false,
		"backfill --worker_binary=x": false,
		"demo":                       false,
		"":                           false,
	} {
		if got := isWorker(strings.Fields(args)); got != want {
			t.Errorf("isWorker(%s) = %v", args, got)
		}
	}
}
