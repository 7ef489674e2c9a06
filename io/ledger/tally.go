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

	// Stretches are where samples of one series are gaps or missing: all of them, or those that
	// begin or end where what was counted does, and the longest. In the tally of a series there
	// is the longest alone.
	Stretches []Stretch
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
		Gaps: sum(t.Gaps, other.Gaps), Drops: sum(t.Drops, other.Drops), Stretches: append(t.Stretches, other.Stretches...),
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
	return l.TallyBy(ctx, spans, func(Entry) (Tally, bool) { return Tally{}, false })
}

// TallyBy is [Ledger.Tally] for whoever knows what files of sealed receipts come to: known
// returns that, and false where it does not know. Those of which all samples are asked for, and
// none is in another file, are not read then.
func (l *Ledger) TallyBy(ctx context.Context, spans []frame.Span, known func(Entry) (Tally, bool)) (
	map[frame.Series]Tally, error,
) {
	asked := frame.BySeries(spans)
	all := slices.Collect(maps.Keys(asked))
	counted := make([]Tally, len(all))
	err := each(len(all), func(i int) (err error) {
		counted[i], err = l.tally(ctx, all[i], frame.Union(asked[all[i]]), known)
		if err != nil {
			return fmt.Errorf("counting the samples of %s: %w", all[i].StreamName, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	tallies := make(map[frame.Series]Tally, len(all))
	for i, series := range all {
		tallies[series] = counted[i]
	}
	return tallies, nil
}

func (l *Ledger) tally(ctx context.Context, series frame.Series, asked []frame.Span, known func(Entry) (Tally, bool)) (
	Tally, error,
) {
	var bad []Entry // that proved damaged: what they claimed may be in others
	for range attempts {
		files, err := l.Files(ctx, series)
		if err != nil {
			return Tally{}, err
		}
		total, rest := countKnown(files, asked, known)
		shards, _, err := l.shardsOf(ctx, files, rest)
		var damaged []Entry
		if err == nil {
			var tally Tally
			shards = slices.DeleteFunc(shards, func(s Shard) bool { return slices.Contains(bad, s.Entry) })
			tally, damaged, err = l.count(ctx, shards, rest)
			total = total.Plus(tally)
		}
		if err == nil && len(damaged) == 0 {
			if total.Stretches = JoinStretches(total.Stretches); len(total.Stretches) > 1 {
				total.Stretches = []Stretch{Longest(total.Stretches)}
			}
			total.Stretches = slices.Clip(total.Stretches) // Plus appends
			return total, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // else a file was replaced since it was listed
			return Tally{}, err
		}
		bad = append(bad, damaged...)
	}
	return Tally{}, errors.New("the receipts change too often")
}

// countKnown counts by files of sealed receipts that are known, and returns the samples
// that are still to be counted: not nil.
func countKnown(files Files, asked []frame.Span, known func(Entry) (Tally, bool)) (total Tally, rest []frame.Span) {
	others := slices.Clone(files.Void)
	for _, entry := range slices.Concat(files.Loose, files.Sealed) {
		others = append(others, entry.Span)
	}
	slices.SortFunc(others, frame.Span.Compare)
	alone := make(map[frame.Span]bool)
	end := int64(0) // of those before
	for i, span := range others {
		alone[span] = end <= span.First && (i+1 == len(others) || others[i+1].First >= span.End())
		end = max(end, span.End())
	}
	var counted []frame.Span
	for _, file := range files.Sealed {
		if !alone[file.Span] || frame.Count(overlap(file.Span, asked)) < file.Span.Samples {
			continue
		}
		if tally, ok := known(file); ok {
			total = total.Plus(tally)
			counted = append(counted, file.Span)
		}
	}
	return total, append([]frame.Span{}, frame.Minus(asked, counted)...)
}

// count counts by receipts, and returns those that are damaged.
func (l *Ledger) count(ctx context.Context, shards []Shard, asked []frame.Span) (total Tally, damaged []Entry, err error) {
	entries, tables := make([]Entry, len(shards)), make(map[Entry]*framepb.Receipt)
	for i, shard := range shards {
		entries[i] = shard.Entry
		if shard.Table != nil {
			tables[shard.Entry] = shard.Table
		}
	}
	total = Tally{Samples: frame.Count(asked), Missing: frame.Count(asked)}
	var rest []Claim
	claims := Claims(entries, asked)
	total.Stretches = missing(asked, claims)
	for _, claim := range claims {
		total.Missing -= frame.Count(claim.Spans)
		if table := tables[claim.Entry]; table != nil && frame.Count(claim.Spans) == claim.Entry.Span.Samples {
			total = total.Plus(countAll(table))
		} else {
			rest = append(rest, claim)
		}
	}
	for _, shard := range onePerShard(shards) {
		total.Duplicates += frame.Count(overlap(shard.Span, asked))
	}
	total.Duplicates -= total.Samples - total.Missing
	read, damaged, err := l.countRead(ctx, rest)
	return total.Plus(read), damaged, err
}

// Claim is what counts by one receipt, where receipts overlap.
type Claim struct {
	Entry Entry
	Spans []frame.Span // not empty
}

// Claims gives each sample asked for to the first receipt that has it, as
// [Ledger.Tally] counts: complete ones before those with FAILED gaps, either in the order of
// the entries. These are of one series, as [Ledger.Shards] lists them; the spans asked for as
// [frame.Union] returns them.
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

// countRead reads the receipts and counts what each has claimed.
func (l *Ledger) countRead(ctx context.Context, claims []Claim) (total Tally, damaged []Entry, err error) {
	files := byFile(claims, func(c Claim) Entry { return c.Entry })
	tallies, errs := make([]Tally, len(files)), make([]error, len(files))
	each(len(files), func(i int) error {
		entries := make([]Entry, len(files[i]))
		for j, claim := range files[i] {
			entries[j] = claim.Entry
		}
		got := l.readFile(ctx, entries)
		if errs[i] = got.err; got.err == nil {
			for j, receipt := range got.receipts {
				tallies[i] = tallies[i].Plus(countIn(receipt, files[i][j].Spans))
			}
		}
		return nil
	})
	for i, err := range errs {
		switch {
		case isDamaged(err):
			for _, claim := range files[i] {
				damaged = append(damaged, claim.Entry)
			}
		case err != nil:
			return Tally{}, nil, err
		}
		total = total.Plus(tallies[i])
	}
	return total, damaged, nil
}

// countAll counts all samples of a receipt, which may be without what it says of each frame.
func countAll(receipt *framepb.Receipt) Tally {
	tally := Tally{
		Shards: 1, Frames: int64(receipt.Frames), Bytes: receipt.Bytes, Stretches: StretchesIn(receipt, receipt.Span()),
	}
	for _, gap := range receipt.Gaps {
		add(&tally.Gaps, gap.Reason, int64(gap.Samples))
	}
	for _, drop := range receipt.Drops {
		add(&tally.Drops, drop.Reason, int64(drop.Samples))
	}
	return tally
}

func countIn(receipt *framepb.Receipt, spans []frame.Span) Tally {
	tally := Tally{Shards: 1}
	for _, span := range spans {
		tally.Stretches = append(tally.Stretches, StretchesIn(receipt, span)...)
	}
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
			add(&tally.Gaps, outcome.Reason, 1)
		case Drop:
			add(&tally.Drops, outcome.Reason, 1)
		}
	}
	return tally
}

func add(counts *map[string]int64, reason string, n int64) {
	if *counts == nil {
		*counts = make(map[string]int64)
	}
	(*counts)[reason] += n
}
