package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// readers bounds how many files are read or written at once.
const readers = 16

// each calls do for 0 to n-1, some at once, and returns the first error.
func each(n int, do func(i int) error) error {
	var group errgroup.Group
	group.SetLimit(readers)
	for i := range n {
		group.Go(func() error { return do(i) })
	}
	return group.Wait()
}

// Tally counts samples by what became of them: Frames + all Gaps + all Drops +
// Missing = Samples.
type Tally struct {
	Samples int64            // asked for, each once
	Frames  int64            //
	Gaps    map[string]int64 // by reason; nil where there are none
	Drops   map[string]int64 // by reason; nil where there are none
	Missing int64            // in no receipt
	Bytes   int64            // of the frames' pictures, encoded
	Shards  int64            // receipts that had a part in it

	// Duplicates counts samples that are in the receipts of shards once more than once:
	// one in three shards counts two, and the two receipts that a shard may have count
	// as one. It is no part of the sum.
	Duplicates int64
}

// Complete reports whether every sample is a frame, a drop or a gap other than
// FAILED, and is so once.
func (t Tally) Complete() bool {
	return t.Missing == 0 && t.Gaps[frame.Failed] == 0 && t.Duplicates == 0
}

// Plus returns the sum of two tallies of different samples.
func (t Tally) Plus(other Tally) Tally {
	return Tally{
		Samples: t.Samples + other.Samples, Frames: t.Frames + other.Frames, Missing: t.Missing + other.Missing,
		Bytes: t.Bytes + other.Bytes, Shards: t.Shards + other.Shards, Duplicates: t.Duplicates + other.Duplicates,
		Gaps: sum(t.Gaps, other.Gaps), Drops: sum(t.Drops, other.Drops),
	}
}

func sum(a, b map[string]int64) map[string]int64 {
	if len(a) == 0 && len(b) == 0 {
		return nil
	}
	total := maps.Clone(a)
	if total == nil {
		total = make(map[string]int64, len(b))
	}
	for key, n := range b {
		total[key] += n
	}
	return total
}

// Tally counts what became of the samples of all spans, series by series. A
// sample that is in more than one span counts once; so does one that is in more
// than one receipt, by the first of them: complete ones before failed ones, then
// by first sample, then by samples.
func (l *Ledger) Tally(ctx context.Context, spans []frame.Span) (map[frame.Series]Tally, error) {
	asked := make(map[frame.Series][]frame.Span)
	for _, span := range spans {
		asked[span.Series] = append(asked[span.Series], span)
	}
	tallies := make(map[frame.Series]Tally, len(asked))
	for series, spans := range asked {
		tally, err := l.tally(ctx, series, frame.Union(spans))
		if err != nil {
			return nil, fmt.Errorf("counting the samples of %s: %w", series.StreamName, err)
		}
		tallies[series] = tally
	}
	return tallies, nil
}

func (l *Ledger) tally(ctx context.Context, series frame.Series, asked []frame.Span) (Tally, error) {
	entries, err := l.entries(ctx, series)
	if err != nil {
		return Tally{}, err
	}
	for {
		claims := Claims(entries, asked)
		tally, damaged, err := l.count(ctx, claims)
		if err != nil {
			return Tally{}, err
		}
		if len(damaged) == 0 {
			tally.Samples = frame.Count(asked)
			tally.Missing = tally.Samples
			for _, c := range claims {
				tally.Missing -= frame.Count(c.Spans)
			}
			for _, e := range onePerShard(entries) {
				tally.Duplicates += frame.Count(overlap(e.Span, asked))
			}
			tally.Duplicates -= tally.Samples - tally.Missing
			return tally, nil
		}
		// What a damaged receipt claimed may be in another one.
		entries = slices.DeleteFunc(entries, func(e Entry) bool { return slices.Contains(damaged, e) })
	}
}

// Claim is what counts by one receipt, where receipts overlap.
type Claim struct {
	Entry Entry
	Spans []frame.Span // not empty
}

// Claims gives each sample asked for to the first receipt that has it, as
// [Ledger.Tally] counts. The entries are of one series, as [Ledger.Have] lists
// them; the spans asked for as [Union] returns them.
func Claims(entries []Entry, asked []frame.Span) []Claim {
	var claims []Claim
	for _, failed := range []bool{false, true} {
		var taken []frame.Span // in order and apart, as the entries are sorted
		region := asked
		for _, entry := range entries {
			if entry.Failed != failed {
				continue
			}
			for len(region) > 0 && region[0].End() <= entry.Span.First {
				region = region[1:]
			}
			spans := overlap(entry.Span, region)
			n := len(taken)
			if n == 0 || taken[n-1].End() < entry.Span.First {
				taken = append(taken, entry.Span)
			} else {
				spans = frame.Minus(spans, taken[n-1:])
				taken[n-1] = taken[n-1].Slice(taken[n-1].First, max(taken[n-1].End(), entry.Span.End()))
			}
			if len(spans) > 0 {
				claims = append(claims, Claim{entry, spans})
			}
		}
		asked = frame.Minus(asked, taken)
	}
	return claims
}

func overlap(span frame.Span, region []frame.Span) []frame.Span {
	var spans []frame.Span
	for _, r := range region {
		if r.First >= span.End() {
			break
		}
		if part := span.Slice(max(r.First, span.First), min(r.End(), span.End())); part.Samples > 0 {
			spans = append(spans, part)
		}
	}
	return spans
}

// count reads the receipts and counts what each has claimed.
func (l *Ledger) count(ctx context.Context, claims []Claim) (total Tally, damaged []Entry, err error) {
	tallies := make([]Tally, len(claims))
	bad := make([]bool, len(claims))
	err = each(len(claims), func(i int) error {
		receipt, err := l.Read(ctx, claims[i].Entry)
		var broken *DamagedError
		if errors.As(err, &broken) || errors.Is(err, fs.ErrNotExist) {
			bad[i] = true
			return nil
		}
		if err == nil {
			tallies[i] = countIn(receipt, claims[i].Spans)
		}
		return err
	})
	if err != nil {
		return Tally{}, nil, err
	}
	for i, tally := range tallies {
		if bad[i] {
			damaged = append(damaged, claims[i].Entry)
		}
		total = total.Plus(tally)
	}
	return total, damaged, nil
}

func countIn(receipt *framepb.Receipt, spans []frame.Span) Tally {
	tally := Tally{Shards: 1}
	for outcome := range Outcomes(receipt) {
		for len(spans) > 0 && spans[0].End() <= outcome.Index {
			spans = spans[1:]
		}
		if len(spans) == 0 || outcome.Index < spans[0].First {
			continue
		}
		switch outcome.Kind {
		case Frame:
			tally.Frames++
			tally.Bytes += int64(outcome.Size)
		case Gap:
			add(&tally.Gaps, outcome.Reason)
		case Drop:
			add(&tally.Drops, outcome.Reason)
		}
	}
	return tally
}

func add(counts *map[string]int64, reason string) {
	if *counts == nil {
		*counts = make(map[string]int64)
	}
	(*counts)[reason]++
}
