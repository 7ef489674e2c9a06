package dataset

import (
	"context"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// tally is what is counted for the card.
type tally struct {
	contents Contents
	cover    covers
	days     map[streamDay]*dayCount
	tensors  bool // there are frames that are .npy files
}

func newTally() tally {
	return tally{
		contents: Contents{Gaps: make(map[string]int64), Drops: make(map[string]int64)},
		cover:    make(covers),
		days:     make(map[streamDay]*dayCount),
	}
}

// streamDay is a day of a stream, in UTC.
type streamDay struct {
	stream string
	day    int64 // since the Unix epoch
}

// dayCount is samples of a day.
type dayCount struct {
	Samples int64            `json:"samples"`
	Frames  int64            `json:"frames"`
	Gaps    map[string]int64 `json:"gaps,omitempty"`  // by reason; nil where there are none
	Drops   map[string]int64 `json:"drops,omitempty"` // by reason; nil where there are none
}

func (c *dayCount) add(other *dayCount) {
	c.Samples += other.Samples
	c.Frames += other.Frames
	addAll(&c.Gaps, other.Gaps)
	addAll(&c.Drops, other.Drops)
}

func addAll(to *map[string]int64, counts map[string]int64) {
	for reason, n := range counts {
		addReason(to, reason, n)
	}
}

func addReason(to *map[string]int64, reason string, n int64) {
	if *to == nil {
		*to = make(map[string]int64)
	}
	(*to)[reason] += n
}

const dayMs = 24 * 60 * 60 * 1000

// fileCount is samples of a file of sealed receipts, or of some of them.
type fileCount struct {
	Size    int64               `json:"size"`              // of the file, in bytes
	Shards  int64               `json:"shards"`            //
	Bytes   int64               `json:"bytes"`             // of pictures, encoded
	Tensors bool                `json:"tensors,omitempty"` // there are frames that are .npy files
	Days    map[int64]*dayCount `json:"days"`              // by days since the Unix epoch, in UTC

	// Stretches are, of a file, that which begins with it, that which ends with it, and the
	// longest: nil where there are no gaps.
	Stretches []ledger.Stretch `json:"stretches,omitempty"`
}

// add counts samples that count by a receipt, but not their bytes.
func (c *fileCount) add(receipt *framepb.Receipt, part frame.Span) {
	c.Tensors = c.Tensors || receipt.Frames > 0 && ledger.Format(receipt) == frame.NPY
	for run := range ledger.Runs(receipt, part) {
		c.addRun(part.Series, run)
	}
}

// addRun counts a run by days.
func (c *fileCount) addRun(series frame.Series, run ledger.Run) {
	if c.Days == nil {
		c.Days = make(map[int64]*dayCount)
	}
	interval := int64(series.IntervalMs)
	for next, end := run.First, run.First+run.Samples; next < end; {
		day := series.At(next) / dayMs
		midnight := (day+1)*dayMs - int64(series.PhaseMs)
		last := min(end, (midnight+interval-1)/interval) // the first sample of another day
		count := c.Days[day]
		if count == nil {
			count = new(dayCount)
			c.Days[day] = count
		}
		n := last - next
		count.Samples += n
		switch run.Kind {
		case ledger.Frame:
			count.Frames += n
		case ledger.Gap:
			addReason(&count.Gaps, run.Reason, n)
		case ledger.Drop:
			addReason(&count.Drops, run.Reason, n)
		}
		next = last
	}
}

// sum returns the counts of all days.
func (c *fileCount) sum() ledger.Tally {
	var sum dayCount
	for _, day := range c.Days {
		sum.add(day)
	}
	return ledger.Tally{
		Samples: sum.Samples, Frames: sum.Frames, Gaps: sum.Gaps, Drops: sum.Drops, Bytes: c.Bytes, Shards: c.Shards,
		Stretches: c.Stretches,
	}
}

// isOld reports whether a count is of a version that did not count stretches.
func (c *fileCount) isOld() bool { return c.Stretches == nil && len(c.sum().Gaps) > 0 }

// keepStretches keeps of all stretches of a file those that may be, or be part of, the longest of
// its series.
func (c *fileCount) keepStretches(all []ledger.Stretch, file frame.Span) {
	all = ledger.JoinStretches(all)
	longest := ledger.Longest(all)
	for _, s := range all {
		if s.First == file.First || s.First+s.Samples == file.End() || s.First == longest.First {
			c.Stretches = append(c.Stretches, s)
		}
	}
}

// Tally counts what became of the samples of all spans, as [ledger.Ledger.Tally] does. It asks
// the catalog that Finish has written, and reads what that does not know.
func (d *Dataset) Tally(ctx context.Context, spans []frame.Span) (map[frame.Series]ledger.Tally, error) {
	counts, _, _, err := d.readCatalog(ctx)
	if err != nil {
		return nil, err
	}
	return d.ledger.TallyBy(ctx, spans, func(file ledger.Entry) (ledger.Tally, bool) {
		count := counts[file.Path()]
		if count == nil {
			return ledger.Tally{}, false
		}
		return count.sum(), true
	})
}

// take adds what was counted of a stream.
func (t *tally) take(stream string, c *fileCount) {
	t.contents.Bytes += c.Bytes
	t.tensors = t.tensors || c.Tensors
	for day, count := range c.Days {
		t.contents.Samples += count.Samples
		t.contents.Frames += count.Frames
		addAll(&t.contents.Gaps, count.Gaps)
		addAll(&t.contents.Drops, count.Drops)
		at := streamDay{stream, day}
		if t.days[at] == nil {
			t.days[at] = new(dayCount)
		}
		t.days[at].add(count)
	}
}

// count counts what is sealed, and what was asked for and is not.
func (c *cataloger) count(ctx context.Context, all []ledger.Survey) error {
	if c.catalog == nil {
		c.catalog = make(catalog)
	}
	for _, survey := range all {
		if apart(survey.Files) {
			c.counted = append(c.counted, survey.Files.Sealed...)
		}
	}
	sizes, err := c.store.Sizes(ctx, "sealed")
	if err == nil {
		err = c.catalog.fill(ctx, c.ledger, slices.Clone(c.counted), sizes)
	}
	if err != nil {
		return err
	}
	for _, survey := range all {
		cover := c.cover.of(survey.Series)
		cover.asked = survey.Asked
		c.asked = c.asked || len(survey.Asked) > 0 || len(survey.Lost) > 0
		if !apart(survey.Files) {
			if err := c.countShards(ctx, survey); err != nil {
				return err
			}
		} else {
			for _, file := range survey.Files.Sealed {
				if count := c.catalog[file.Path()]; count != nil {
					cover.record(file.Span)
					c.take(survey.Series.StreamName, count)
				} else {
					c.damaged = append(c.damaged, file)
				}
			}
		}
		missing := frame.Count(frame.Minus(frame.Union(cover.asked), cover.recorded))
		c.contents.Samples += missing
		c.contents.Missing += missing
	}
	return nil
}

// apart reports whether each sample is in one file of sealed receipts at most.
func apart(files ledger.Files) bool {
	for i := 1; i < len(files.Sealed); i++ {
		if files.Sealed[i].Span.First < files.Sealed[i-1].Span.End() {
			return false
		}
	}
	return len(files.Void) == 0
}

// countShards counts shard by shard, where the samples of some are in others.
func (c *cataloger) countShards(ctx context.Context, survey ledger.Survey) error {
	shards, damaged, err := c.ledger.Shards(ctx, survey.Series, nil)
	if err != nil {
		return err
	}
	for _, damage := range damaged {
		c.damaged = append(c.damaged, damage.Entry)
	}
	tables := make(map[ledger.Entry]*framepb.Receipt)
	var entries []ledger.Entry
	cover := c.cover.of(survey.Series)
	for _, shard := range shards {
		if shard.Table != nil {
			entries, tables[shard.Entry] = append(entries, shard.Entry), shard.Table
			cover.record(shard.Span)
		}
	}
	for _, claim := range ledger.Claims(entries, cover.recorded) {
		table := tables[claim.Entry]
		count := &fileCount{Bytes: table.Bytes}
		if frame.Count(claim.Spans) < claim.Entry.Span.Samples {
			if count.Bytes, err = c.bytesOf(ctx, claim); err != nil {
				return err
			}
		}
		for _, span := range claim.Spans {
			count.add(table, span)
		}
		c.take(survey.Series.StreamName, count)
	}
	return nil
}

// bytesOf returns the bytes of the pictures that count by a receipt.
func (c *cataloger) bytesOf(ctx context.Context, claim ledger.Claim) (bytes int64, err error) {
	receipt, err := c.ledger.Read(ctx, claim.Entry)
	if err != nil {
		return 0, notGone(notDamaged(err))
	}
	for _, span := range claim.Spans {
		for outcome := range (ledger.Part{Receipt: receipt, Span: span}).Outcomes() {
			bytes += int64(outcome.Size)
		}
	}
	return bytes, nil
}
