package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/pipeline"
)

// summaryText is a backfill's summary for people.
func summaryText(s pipeline.Summary, complete bool) string {
	w := new(strings.Builder)
	switch {
	case s.DryRun:
		fmt.Fprintf(w, "Dry run: the job is printed above, with %s shards to fetch. Nothing was submitted.\n",
			card.Number(s.Shards-s.SkippedShards))
		return w.String()
	case s.JobID != "":
		fmt.Fprintf(w, "Submitted: job %s goes on by itself, with %s shards to fetch. When it is over, the same backfill\n"+
			"without --async reports what %s has, and fetches what is missing.\n", s.JobID, card.Number(s.Shards-s.SkippedShards),
			s.Dataset)
		return w.String()
	}
	if s.Unknown != "" {
		fmt.Fprintf(w, "%s: what became of the samples is not known: %s\n", s.Dataset, s.Unknown)
		return w.String()
	}
	worstStreams(w, s.Streams)
	switch {
	case s.Samples == 0 && s.Pending > 0:
		fmt.Fprintln(w, "Nothing was fetched.")
	case s.Shards == s.SkippedShards && complete:
		fmt.Fprintln(w, "Nothing was fetched: the dataset has all of it already.")
	default:
		fmt.Fprintf(w, "Fetched %s, %s, %s in %s%s.\n", card.Count(s.Fetched.Samples, "sample"),
			card.Count(s.Fetched.Frames, "frame"), size(s.Fetched.Bytes),
			time.Duration(s.Seconds*float64(time.Second)).Round(100*time.Millisecond), calls(s))
		if s.SkippedShards > 0 {
			fmt.Fprintf(w, "%s there already.\n", were(s.SkippedShards, "shard"))
		}
	}
	lateFootage(w, s.Late)
	if s.Pending > 0 {
		fmt.Fprintf(w, "%s pending, because %s footage may not be in the archive yet: the next backfill fetches %s.\n",
			are(s.Pending, "sample"), oneOf(s.Pending, "its", "their"), oneOf(s.Pending, "it", "them"))
	}
	if s.Unsealed > 0 {
		fmt.Fprintf(w, "%s not in the index yet: the next backfill of these streams, or kvsframes index, adds %s.\n",
			are(s.Unsealed, "shard"), oneOf(s.Unsealed, "it", "them"))
	}
	if s.Duplicates > 0 {
		fmt.Fprintf(w, "%s recorded more than once, as jobs leave them that ran at the same time with other shards.\n",
			are(s.Duplicates, "sample"))
	}
	fmt.Fprintf(w, "%s: %s: %s\n", s.Dataset, card.Count(s.Samples, "sample"), outcome(s.Counts))
	return w.String()
}

// mostLate is how many stretches of late footage a summary names.
const mostLate = 10

// lateFootage lists the footage that was found where gaps were.
func lateFootage(w io.Writer, late []pipeline.Late) {
	if len(late) == 0 {
		return
	}
	fmt.Fprintln(w, "Footage was found that got into the archive late:")
	for _, l := range late[:min(len(late), mostLate)] {
		fmt.Fprintf(w, "  %s: %s from %s to %s\n", l.Stream, card.Count(l.Frames, "frame"), l.From.UTC().Format(time.RFC3339),
			l.To.UTC().Format(time.RFC3339))
	}
	if more := len(late) - mostLate; more > 0 {
		fmt.Fprintf(w, "  and %s more\n", card.Number(int64(more)))
	}
}

// mostStreams is how many streams a summary names.
const mostStreams = 10

// worstStreams lists the streams that lack frames, those first that lack the largest share.
func worstStreams(w io.Writer, streams []pipeline.StreamSummary) {
	share := func(s pipeline.StreamSummary) float64 {
		return float64(s.Samples-s.Frames-sum(s.Drops)) / float64(s.Samples)
	}
	var lacking []pipeline.StreamSummary
	for _, s := range streams {
		if len(streams) > 1 && s.Samples > 0 && share(s) > 0 {
			lacking = append(lacking, s)
		}
	}
	slices.SortStableFunc(lacking, func(a, b pipeline.StreamSummary) int { return cmp.Compare(share(b), share(a)) })
	if len(lacking) > 0 {
		fmt.Fprintf(w, "%s of %s lack frames:\n", card.Number(int64(len(lacking))), card.Count(int64(len(streams)), "stream"))
	}
	for _, s := range lacking[:min(len(lacking), mostStreams)] {
		fmt.Fprintf(w, "  %s: %s: %s\n", s.Stream, card.Count(s.Samples, "sample"), outcome(s.Counts))
	}
	if more := len(lacking) - mostStreams; more > 0 {
		fmt.Fprintf(w, "  and %s more\n", card.Number(int64(more)))
	}
}

func sum(counts map[string]int64) (total int64) {
	for _, n := range counts {
		total += n
	}
	return total
}

// are counts what a verb follows: 1 shard is, 2 shards are.
func are(n int64, noun string) string { return card.Count(n, noun) + oneOf(n, " is", " are") }

func were(n int64, noun string) string { return card.Count(n, noun) + oneOf(n, " was", " were") }

func oneOf(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// reportText is the report of a verification for people.
func reportText(r dataset.Report) string {
	w := new(strings.Builder)
	state := "Verified: complete: each sample once"
	switch {
	case !r.Complete:
		state = "Verified: NOT complete"
	case r.Scope != "":
		state = "Verified in part: nothing is wrong there"
	}
	fmt.Fprintf(w, "%s: %s: %s; %s read back.\n", state, card.Count(r.Samples, "sample"),
		outcome(pipeline.Counts{Frames: r.Frames, Gaps: r.Gaps, Drops: r.Drops}), card.Count(r.Shards-r.Unread, "shard"))
	if r.Scope != "" {
		fmt.Fprintf(w, "  %s not read back (%s): of these, %s.\n", were(r.Unread, "shard"), r.Scope, lookedAt(r))
	}
	for _, wrong := range []struct {
		n    int64
		name string
	}{
		{r.Missing, "missing"},
		{r.Duplicate, "duplicate"},
		{r.Corrupt, "corrupt"},
		{r.Failed, "FAILED"},
		{r.Damaged - r.DamagedRequests, "damaged receipts"},
		{r.DamagedRequests, "damaged requests"},
		{r.Unasked, "recorded and never asked for"},
		{r.Foreign, "files that are not the dataset's"},
	} {
		if wrong.n > 0 {
			fmt.Fprintf(w, "  %s %s\n", card.Number(wrong.n), wrong.name)
		}
	}
	if r.Repaired > 0 {
		fmt.Fprintf(w, "Repaired: %s files or shards:\n", card.Number(r.Repaired))
		for _, repair := range r.Repairs {
			fmt.Fprintf(w, "  %s\n", repair)
		}
	}
	for _, problem := range r.Problems {
		fmt.Fprintf(w, "  %s\n", problem)
	}
	return w.String()
}

// lookedAt is what was compared of shards that were not read back.
func lookedAt(r dataset.Report) string {
	if r.Scope == "books" {
		return "names and sizes of files are compared with receipts"
	}
	return "names of files are compared with receipts"
}

// contentsText is the result of indexing, for people.
func contentsText(c dataset.Contents) string {
	w := new(strings.Builder)
	fmt.Fprintf(w, "%s: %s: %s, %s.\n", c.Dataset, card.Count(c.Samples, "sample"),
		outcome(pipeline.Counts{Samples: c.Samples, Frames: c.Frames, Gaps: c.Gaps, Drops: c.Drops}), size(c.Bytes))
	fmt.Fprintln(w, "They are in index/.")
	if !c.Card {
		fmt.Fprintln(w, "README.md was not written by kvsframes, and stays as it is.")
	}
	return w.String()
}

func calls(s pipeline.Summary) string {
	if s.GetImagesCalls == nil {
		return ""
	}
	text := fmt.Sprintf(", GetImages calls: %s", card.Number(*s.GetImagesCalls))
	if *s.Retries > 0 {
		text += fmt.Sprintf(", retries: %s", card.Number(*s.Retries))
	}
	if *s.Throttles > 0 {
		text += fmt.Sprintf(", throttles: %s", card.Number(*s.Throttles))
	}
	return text
}

// outcome says what became of samples: "7,100 frames, 100 gaps (NO_MEDIA 100)".
func outcome(c pipeline.Counts) string {
	parts := []string{card.Count(c.Frames, "frame")}
	ended := c.Frames
	for _, kind := range []struct {
		name    string
		reasons map[string]int64
	}{{"gap", c.Gaps}, {"drop", c.Drops}} {
		var each []string
		for _, reason := range slices.Sorted(maps.Keys(kind.reasons)) {
			each = append(each, reason+" "+card.Number(kind.reasons[reason]))
		}
		n := sum(kind.reasons)
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s (%s)", card.Count(n, kind.name), strings.Join(each, ", ")))
		}
		ended += n
	}
	if missing := c.Samples - ended; missing > 0 {
		parts = append(parts, card.Number(missing)+" missing")
	}
	return strings.Join(parts, ", ")
}

func size(n int64) string {
	f, units := float64(n), []string{"B", "kB", "MB", "GB", "TB"}
	for f >= 999.5 && len(units) > 1 {
		f, units = f/1000, units[1:]
	}
	if units[0] == "B" || f >= 100 {
		return fmt.Sprintf("%.0f %s", f, units[0])
	}
	return fmt.Sprintf("%.1f %s", f, units[0])
}
