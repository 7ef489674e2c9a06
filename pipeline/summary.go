package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/pipeline/internal/beamrun"
)

// SummarySchema names the form of a Summary as JSON.
const SummarySchema = "kvsframes.backfill/1"

// Summary is the result of a backfill. All counts of samples are of everything
// that was asked for and is old enough, each sample once, as the dataset's ledger has it now:
// where it is complete, frames + gaps + drops = samples.
type Summary struct {
	Schema   string `json:"schema"`
	Status   Status `json:"status"`
	Dataset  string `json:"dataset"`
	Requests int    `json:"requests"`
	Range    Range  `json:"range"` // of all that was asked for
	Counts
	Missing       int64   `json:"missing"` // samples that are recorded nowhere: all others are in Counts
	Pending       int64   `json:"pending"` // in Range, but too young (Options.Settle): none of Samples
	Fetched       Fetched `json:"fetched"`
	Lost          int64   `json:"lost"`           // samples to be fetched that were older than what their streams keep
	AtRisk        int64   `json:"at_risk"`        // others that would be before the job got to them, by what it expected
	Shards        int64   `json:"shards"`         // of all that was asked
	SkippedShards int64   `json:"skipped_shards"` // of them, that the dataset had already

	// Unknown says why the ledger could not be read, where that is so. Counts,
	// Fetched, Missing, Duplicates, Complete and Streams are then 0 or empty, and null as JSON.
	Unknown string `json:"unknown,omitempty"`

	// Duplicates counts samples that are recorded once more than once, as jobs
	// leave them that cut the same samples into other shards at the same time: the one
	// that ends last finds them all.
	Duplicates int64 `json:"duplicates,omitempty"`

	// Unsealed counts shards of the streams that were asked for whose receipts are not in the
	// index yet: as a job leaves them that was interrupted, or failed.
	Unsealed int64 `json:"unsealed,omitempty"`

	// Complete says that every sample that was asked for, but for those that are pending, is
	// recorded once, and none is a FAILED gap.
	Complete bool `json:"complete"`

	// The totals of the job's calls; nil unless all of them were made by this
	// process: a runner's metrics lack those of workers that were killed.
	GetImagesCalls *int64 `json:"get_images_calls"`
	Retries        *int64 `json:"retries"`
	Throttles      *int64 `json:"throttles"`

	// JobID is of a job that was submitted and goes on without this process (Beam's
	// --async), or the URL of its template: what the counts say is what was there
	// when it was. DryRun says that no job ran: Beam was asked to print it only.
	JobID  string `json:"job_id,omitempty"`
	DryRun bool   `json:"dry_run,omitempty"`

	Seconds float64         `json:"seconds"`
	Streams []StreamSummary `json:"streams"`

	// Beside is another backfill into the dataset that was under way when this one began beside it;
	// nil where there was none, or it was waited for.
	Beside *dataset.Holder `json:"beside,omitempty"`

	// Late is footage that was found where NO_MEDIA gaps were (LedgerParams.LookAgain), by stream and
	// time. It may lie outside of Range.
	Late []Late `json:"late"`

	// Reason says in a sentence why the Status is incomplete; otherwise it is empty.
	Reason string `json:"reason,omitempty"`

	// Error is what Backfill returns, for programs. Where the Status is incomplete it is nil,
	// unless streams could not be read.
	Error *Problem `json:"error"`
}

// end fills in what an error of the backfill says.
func (s *Summary) end(err error) {
	s.Status = StatusOf(err)
	switch {
	case err == nil && s.DryRun:
		s.Status = StatusPlanned
	case err == nil && s.JobID != "":
		s.Status = StatusSubmitted
	default:
		s.Error = ProblemOf(err)
	}
	if s.Status == StatusIncomplete {
		s.Reason = outside.Clean(err.Error())
	}
}

// Range is from the earliest start of some requests to their latest end, as they were done: instants
// that depend on when they were asked for are resolved, and those that were moved to a grid are on it.
type Range struct {
	From Instant `json:"from"`
	To   Instant `json:"to"` // not in it
}

// Instant is a time that is RFC 3339 with milliseconds, in UTC, as JSON.
type Instant struct{ time.Time }

// MarshalJSON writes the form of an Instant.
func (t Instant) MarshalJSON() ([]byte, error) {
	return json.Marshal(t.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
}

// and returns the range from the beginning of the first to the end of the last.
func (r Range) and(other Range) Range {
	if r.From.IsZero() || other.From.Before(r.From.Time) {
		r.From = other.From
	}
	if other.To.After(r.To.Time) {
		r.To = other.To
	}
	return r
}

// MarshalJSON writes null for what is not known.
func (s Summary) MarshalJSON() ([]byte, error) {
	type known Summary
	if s.Unknown == "" {
		return json.Marshal(known(s))
	}
	return json.Marshal(struct {
		known
		Samples    *int64           `json:"samples"`
		Frames     *int64           `json:"frames"`
		Gaps       map[string]int64 `json:"gaps"`
		Drops      map[string]int64 `json:"drops"`
		Fetched    *Fetched         `json:"fetched"`
		Duplicates *int64           `json:"duplicates"`
		Complete   *bool            `json:"complete"`
		Missing    *int64           `json:"missing"`
		Streams    []StreamSummary  `json:"streams"`
	}{known: known(s)})
}

// Counts says what became of samples.
type Counts struct {
	Samples int64            `json:"samples"`
	Frames  int64            `json:"frames"`
	Gaps    map[string]int64 `json:"gaps"`  // by reason
	Drops   map[string]int64 `json:"drops"` // by reason
}

// Fetched is the part of it that was not there before.
type Fetched struct {
	Samples int64 `json:"samples"`
	Frames  int64 `json:"frames"`
	Bytes   int64 `json:"bytes"`
}

// StreamSummary is what a Summary says of all, of one stream.
type StreamSummary struct {
	Stream    string `json:"stream"`
	StreamARN string `json:"stream_arn"`
	Status    Status `json:"status"` // complete or incomplete
	Range     Range  `json:"range"`
	Counts
	Missing  int64 `json:"missing"`
	Pending  int64 `json:"pending"`
	Complete bool  `json:"complete"`

	// LongestGap is the longest run of consecutive samples that are gaps or missing, of one
	// sampling of the stream; nil where there is none.
	LongestGap *LongestGap `json:"longest_gap"`

	Reason string `json:"reason,omitempty"` // why the Status is incomplete where Complete is true
}

// LongestGap is consecutive samples without a frame that are not drops.
type LongestGap struct {
	From    Instant `json:"from"`
	To      Instant `json:"to"` // of the first sample after it
	Samples int64   `json:"samples"`
	Reason  string  `json:"reason"` // of most of them: that of a gap, or MISSING
}

// longer returns the longer one of a gap, which may be nil, and the longest of a series.
func (g *LongestGap) longer(series frame.Series, t ledger.Tally) *LongestGap {
	s := ledger.Longest(t.Stretches)
	if s.Samples == 0 {
		return g
	}
	from, to := Instant{time.UnixMilli(series.At(s.First))}, Instant{time.UnixMilli(series.At(s.First + s.Samples))}
	if g != nil {
		longer := cmp.Compare(to.Sub(from.Time), g.To.Sub(g.From.Time))
		if cmp.Or(longer, g.From.Compare(from.Time), cmp.Compare(s.Samples, g.Samples)) <= 0 {
			return g
		}
	}
	return &LongestGap{from, to, s.Samples, s.Reason()}
}

// Progress is how far a job in this process is. A job that runs elsewhere shows
// nothing here.
type Progress struct {
	WaitingFor *dataset.Holder // who backfills the dataset: nothing has begun yet, and all else is zero

	Samples int64 // to be fetched
	Shards  int64 // to be fetched
	Done    kvsio.Counts
	Elapsed time.Duration

	// Of how many streams something is to be fetched, how many of them are done, and the name of
	// that one of the others which has the most samples left; empty where all are done.
	Streams, StreamsDone int64
	Slowest              string

	// Of Samples, how many were older than what their streams keep when the job began, and how
	// many more will be when the job gets to them, at the pace that it has had so far.
	Lost, AtRisk int64

	// Once the job is over: of how many receipts of the dataset, how many are in
	// its index.
	Receipts, Indexed int64
}

// losses fills in what no call brings, at the pace that the job has.
func (p *Progress) losses(a aging) {
	if pace := float64(p.Done.Frames+p.Done.Gaps) / p.Elapsed.Seconds() / float64(max(p.Streams, 1)); pace > 0 {
		l := a.at(pace)
		p.Lost, p.AtRisk = l.lost, l.atRisk
	}
}

func counts(t ledger.Tally) Counts {
	c := Counts{Samples: t.Samples, Frames: t.Frames, Gaps: t.Gaps, Drops: t.Drops}
	if c.Gaps == nil {
		c.Gaps = map[string]int64{}
	}
	if c.Drops == nil {
		c.Drops = map[string]int64{}
	}
	return c
}

// tally fills in what the ledger says of a plan. It reports whether all that was fetched has FAILED.
func (s *Summary) tally(ctx context.Context,
	count func(context.Context, []frame.Span) (map[frame.Series]ledger.Tally, error), plan *kvsio.Plan,
	ranges map[stream]Range, pending map[stream]int64,
) (total ledger.Tally, nothing bool, err error) {
	s.Shards, s.SkippedShards = plan.Shards+plan.Skipped, plan.Skipped
	for _, n := range pending {
		s.Pending += n
	}
	asked, err := count(ctx, plan.Asked)
	if err != nil {
		return total, false, err
	}
	fetched := asked
	if !slices.Equal(plan.Missing, plan.Asked) {
		if fetched, err = count(ctx, plan.Missing); err != nil {
			return total, false, err
		}
	}
	total = sum(asked)
	s.Counts, s.Duplicates, s.Complete = counts(total), total.Duplicates, total.Complete()
	s.Missing = total.Missing
	s.Streams = byStream(asked, ranges, pending)
	f := sum(fetched)
	s.Fetched = Fetched{Samples: f.Samples - f.Missing, Frames: f.Frames, Bytes: f.Bytes}
	return total, f.Samples > f.Missing && f.Gaps[frame.Failed] == f.Samples-f.Missing, nil
}

func sum(tallies map[frame.Series]ledger.Tally) (total ledger.Tally) {
	for _, t := range tallies {
		total = total.Plus(t)
	}
	return total
}

func byStream(tallies map[frame.Series]ledger.Tally, ranges map[stream]Range, pending map[stream]int64) (
	all []StreamSummary,
) {
	streams, gaps := make(map[stream]ledger.Tally), make(map[stream]*LongestGap)
	for series, t := range tallies {
		of := streamOf(series)
		streams[of], gaps[of] = streams[of].Plus(t), gaps[of].longer(series, t)
	}
	for of := range pending {
		streams[of] = streams[of].Plus(ledger.Tally{}) // all samples of a stream may be pending
	}
	all = make([]StreamSummary, 0, len(streams))
	for _, of := range slices.SortedFunc(maps.Keys(streams), stream.compare) {
		t := streams[of]
		s := StreamSummary{
			Stream: of.name, StreamARN: of.arn, Status: StatusComplete, Range: ranges[of], Counts: counts(t),
			Missing: t.Missing, Pending: pending[of], Complete: t.Complete(), LongestGap: gaps[of],
		}
		if !s.Complete {
			s.Status = StatusIncomplete
		}
		all = append(all, s)
	}
	return all
}

// rangesOf returns the range of all requests, and of those of each stream.
func rangesOf(requests []kvsio.Request) (all Range, of map[stream]Range) {
	of = make(map[stream]Range)
	for _, r := range requests {
		asked := Range{Instant{r.StartTimestamp}, Instant{r.EndTimestamp}}
		name := streamOf(r.Span().Series)
		all, of[name] = all.and(asked), of[name].and(asked)
	}
	return all, of
}

// tooManyGaps returns the names of the streams of whose samples more than a share are gaps, or
// missing, and calls these streams incomplete.
func tooManyGaps(streams []StreamSummary, most float64) (names []string) {
	for i, s := range streams {
		gaps := s.Missing
		for _, n := range s.Gaps {
			gaps += n
		}
		if s.Samples > 0 && float64(gaps)/float64(s.Samples) > most {
			names = append(names, s.Stream)
			streams[i].Status = StatusIncomplete
			streams[i].Reason = fmt.Sprintf("%d of %d samples are gaps or missing, more than a share of %v", gaps, s.Samples, most)
		}
	}
	return names
}

// calls fills in what the job called, where all of its workers are of this process:
// they have counted themselves. Metrics are no measure: a cluster's lack those of
// workers that were killed, and prism (2.77) loses those of bundles that end while
// it asks what the first one's mean.
func (s *Summary) calls(runner beamrun.Runner, here kvsio.Counts) {
	if runner.IsLocal() && here.Shards+here.Skipped+here.Calls > 0 {
		s.GetImagesCalls, s.Retries, s.Throttles = &here.Calls, &here.Retries, &here.Throttles
	}
}

// unsealed counts the loose receipts of the series of a plan.
func unsealed(ctx context.Context, book *ledger.Ledger, plan *kvsio.Plan) (shards int64, err error) {
	seen := make(map[frame.Series]bool)
	for _, span := range plan.Asked {
		if seen[span.Series] {
			continue
		}
		seen[span.Series] = true
		files, err := book.Files(ctx, span.Series)
		if err != nil {
			return 0, err
		}
		shards += int64(len(files.Loose))
	}
	return shards, nil
}
