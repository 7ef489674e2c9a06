package pipeline

import (
	"encoding/json"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/pipeline/internal/beamrun"
)

func fields(t *testing.T, summary any) map[string]any {
	t.Helper()
	text, err := json.Marshal(summary)
	if err != nil {
		t.Fatal(err)
	}
	var found map[string]any
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// What is not known is null, and never a number that looks whole.
func TestUnknownIsNull(t *testing.T) {
	var nothing ledger.Tally
	unknown := Summary{Schema: SummarySchema, Counts: counts(nothing), Shards: 7, Unknown: "ExpiredToken"}
	for summary, names := range map[any][]string{
		&unknown: {"samples", "frames", "gaps", "drops", "fetched", "duplicates", "complete", "streams"},
		&PackSummary{Schema: PackSummarySchema, Frames: 7, Unknown: "ExpiredToken"}: {"files_missing"},
	} {
		got := fields(t, summary)
		for _, name := range names {
			if value, ok := got[name]; !ok || value != nil {
				t.Errorf("%s is %v", name, value)
			}
		}
		if got["unknown"] != "ExpiredToken" || got["shards"] != 7.0 && got["frames"] != 7.0 {
			t.Errorf("got %v", got)
		}
	}
	if got := fields(t, Summary{Counts: counts(nothing)}); got["samples"] != 0.0 || got["unknown"] != nil {
		t.Errorf("got %v", got)
	}
}

// Calls are told where this process made them all, and nowhere else.
func TestCallsAreWholeOrUnknown(t *testing.T) {
	flags(t, map[string]string{"environment_type": ""}) // Beam's prism leaves LOOPBACK in it
	here := kvsio.Counts{Shards: 2, Calls: 5, Retries: 1}
	for _, c := range []struct {
		runner string
		here   kvsio.Counts
		known  bool
	}{
		{"prism", here, true},
		{"direct", here, true},
		{"flink", here, false},
		{"dataflow", here, false},
		{"prism", kvsio.Counts{}, false},
	} {
		var s Summary
		s.calls(beamrun.Named(c.runner), c.here)
		if known := s.GetImagesCalls != nil; known != c.known ||
			known && (*s.GetImagesCalls != 5 || *s.Retries != 1 || *s.Throttles != 0) {
			t.Errorf("%s, %+v: %+v", c.runner, c.here, s)
		}
	}
}
