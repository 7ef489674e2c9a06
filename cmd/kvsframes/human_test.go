package main

import (
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/pipeline"
)

// TestPendingText: a summary for people says what is pending, where something is.
func TestPendingText(t *testing.T) {
	for _, test := range []struct {
		samples, pending int64
		want             string
	}{
		{100, 40, "has all of it already.\n40 samples are pending, because their footage may not be in the archive yet: " +
			"the next backfill fetches them.\n"},
		{0, 1, "Nothing was fetched.\n1 sample is pending, because its footage"},
		{100, 0, "has all of it already.\nout: 100 samples"},
	} {
		s := pipeline.Summary{Dataset: "out", Pending: test.pending, Counts: pipeline.Counts{Samples: test.samples}}
		if text := summaryText(s, true); !strings.Contains(text, test.want) {
			t.Errorf("%d pending:\n%s", test.pending, text)
		}
	}
}
