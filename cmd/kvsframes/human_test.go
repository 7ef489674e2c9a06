package main

import (
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/pipeline"
)

// TestLateText: late footage is listed, ten stretches at most.
func TestLateText(t *testing.T) {
	s := pipeline.Summary{Dataset: "out"}
	if text := summaryText(s, true); strings.Contains(text, "late") {
		t.Errorf("nothing is late:\n%s", text)
	}
	for i := range 12 {
		from := time.Date(2026, 1, 1, i, 0, 0, 0, time.UTC)
		s.Late = append(s.Late, pipeline.Late{
			Stream: "cam", From: pipeline.Instant{Time: from}, To: pipeline.Instant{Time: from.Add(time.Minute)}, Frames: 20,
		})
	}
	text := summaryText(s, true)
	if !strings.Contains(text, "late:\n  cam: 20 frames from 2026-01-01T00:00:00Z to 2026-01-01T00:01:00Z\n") ||
		strings.Count(text, "  cam: ") != 10 || !strings.Contains(text, "  and 2 more\n") {
		t.Errorf("of twelve:\n%s", text)
	}
}

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
