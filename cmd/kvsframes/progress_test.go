package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/pipeline"
)

// TestProgressLine: a terminal shows as much as it has room for, the most important first.
func TestProgressLine(t *testing.T) {
	now := pipeline.Progress{
		Samples: 10_000, Elapsed: 30 * time.Second, Streams: 40, StreamsDone: 38, Slowest: "front-door",
		Done: kvsio.Counts{Frames: 2400, Gaps: 100, Bytes: 60e6, Retries: 3, Throttles: 2},
	}
	for _, test := range []struct {
		width int
		want  string
	}{
		{40, "25% · 1m30s left · 38 of 40 streams"},
		{80, "25% · 1m30s left · 38 of 40 streams · waiting for front-door · 80 frames/s"},
		{
			200, "[======>                       ] 25% · 1m30s left · 38 of 40 streams · waiting for front-door · 80 frames/s · " +
				"2.0 MB/s · 30s elapsed · 2,500 of 10,000 samples · 2 throttles · 1 retry",
		},
		{5, "25%"},
		{3, ""},
	} {
		if got := backfillStatus(now).line(test.width); got != test.want {
			t.Errorf("%d columns: %q, want %q", test.width, got, test.want)
		}
	}
	if got, want := backfillStatus(now).plain(), "25% · 1m30s left · 38 of 40 streams · waiting for front-door · 80 frames/s · "+
		"2.0 MB/s · 30s elapsed · 2,500 of 10,000 samples · 2 throttles · 1 retry"; got != want {
		t.Errorf("plain: %q, want %q", got, want)
	}
	one := pipeline.Progress{Samples: 1, Streams: 1, Done: kvsio.Counts{Frames: 1}, Elapsed: time.Second}
	if got, want := backfillStatus(one).line(80), "[======================] 100% · 1 frames/s · 0 B/s · 1s elapsed · 1 of 1 sample"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := indexStatus(1, 4).line(44), "[=>      ] 25% · 1 of 4 shards in the index"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestProgressNeverWraps: whatever is said, it is one line that leaves the last column free.
func TestProgressNeverWraps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := status{
			rapid.Int64Range(0, 1e12).Draw(t, "done"), rapid.Int64Range(0, 1e12).Draw(t, "total"),
			rapid.SliceOf(rapid.String()).Draw(t, "parts"),
		}
		width := rapid.IntRange(1, 300).Draw(t, "width")
		if line := s.line(width); utf8.RuneCountInString(line) >= width || strings.ContainsAny(line, "\n\r\x1b") {
			t.Errorf("%d columns: %q", width, line)
		}
	})
}

// TestProgressOnTerminal: each line takes the place of the one before, also where the terminal
// has changed its size, and nothing of them is left.
func TestProgressOnTerminal(t *testing.T) {
	var w strings.Builder
	width := 50
	p := &progress{w: &w, width: func() int { return width }, ignore: func() {}}
	p.draw(shardsStatus(1, 4, "verified"))
	width = 20
	p.redraw()
	p.draw(shardsStatus(2, 4, "verified")) // too soon after the first
	p.end()
	p.redraw()
	const clear = "\r\x1b[J"
	if got, want := w.String(), clear+"[===>              ] 25% · 1 of 4 shards verified\r"+clear+"[==>          ] 25%\r"+clear; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestProgressPlain: elsewhere there is a line every half minute, and at first none.
func TestProgressPlain(t *testing.T) {
	var w strings.Builder
	p := &progress{w: &w, last: time.Now(), ignore: func() {}}
	p.draw(shardsStatus(1, 4, "verified"))
	p.last = p.last.Add(-lineEvery)
	p.draw(shardsStatus(3, 4, "verified"))
	p.end()
	if got, want := w.String(), "75% · 3 of 4 shards verified\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
