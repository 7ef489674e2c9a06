package dataset

import (
	"context"
	"errors"
	"fmt"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// ContentsSchema names the form of Contents in JSON.
const ContentsSchema = "kvsframes.index/1"

// Contents is what a dataset has, as its receipts tell it: nothing of it was read
// back. For every dataset
//
//	Frames + all Gaps + all Drops + Missing = Samples
type Contents struct {
	Schema   string           `json:"schema"`   // ContentsSchema
	Dataset  string           `json:"dataset"`  // the folder
	Samples  int64            `json:"samples"`  // asked for or recorded, each once
	Frames   int64            `json:"frames"`   //
	Gaps     map[string]int64 `json:"gaps"`     // by reason, FAILED too
	Drops    map[string]int64 `json:"drops"`    // by reason
	Missing  int64            `json:"missing"`  // asked for and in no receipt that can be read
	Bytes    int64            `json:"bytes"`    // of the frames' pictures, encoded
	Card     bool             `json:"card"`     // README.md was written: it is not somebody's own
	Complete bool             `json:"complete"` // Missing and FAILED gaps are 0
}

// CatalogOptions are the options of Catalog. The zero value is fine.
type CatalogOptions struct {
	// Progress, where set, is told how many receipts of how many are in the index.
	// It is called by the goroutine that called Catalog.
	Progress func(done, total int64)
}

// Catalog writes what a dataset tells of itself: its index, as WriteIndex does, and
// its card, README.md. It reads requests and receipts, not the shards. Call it when a
// job has ended.
//
// A README.md that was not written by Catalog stays as it is.
//
// The errors are those of WriteIndex.
func Catalog(ctx context.Context, dir string, options CatalogOptions) (Contents, error) {
	c, err := newCataloger(ctx, dir)
	if err != nil {
		return Contents{}, err
	}
	c.progress = options.Progress
	if err := c.run(ctx); err != nil {
		return Contents{}, fmt.Errorf("writing the index of the dataset %q: %w", dir, err)
	}
	contents := c.contents
	contents.Schema, contents.Dataset = ContentsSchema, dir
	contents.Complete = contents.Missing == 0 && contents.Gaps[framepb.Failed] == 0
	return contents, nil
}

func (c *cataloger) run(ctx context.Context) error {
	if err := c.writeIndex(ctx); err != nil {
		return err
	}
	asked, err := c.ledger.WithContext(ctx).Requests()
	var damaged *ledger.DamagedError
	if err != nil && !errors.As(err, &damaged) { // for Verify to tell
		return err
	}
	for _, span := range asked {
		c.coverageOf(span.Series).ask(span)
	}
	for _, cover := range c.cover {
		missing := ledger.Count(ledger.Minus(ledger.Union(cover.asked), cover.recorded))
		c.contents.Samples += missing
		c.contents.Missing += missing
	}
	return c.writeCard(ctx)
}

// tally is what is counted while the index is written.
type tally struct {
	contents Contents
	cover    map[framepb.Series]*coverage
	days     map[streamDay]*dayCount
}

func newTally() tally {
	return tally{
		contents: Contents{Gaps: make(map[string]int64), Drops: make(map[string]int64)},
		cover:    make(map[framepb.Series]*coverage),
		days:     make(map[streamDay]*dayCount),
	}
}

// streamDay is a day of a stream, in UTC.
type streamDay struct {
	stream string
	day    int64 // since the Unix epoch
}

type dayCount struct {
	samples, frames int64
	gaps, drops     map[string]int64 // by reason; nil where there are none
}

const dayMs = 24 * 60 * 60 * 1000

func (t *tally) add(part indexed) {
	t.coverageOf(part.span.Series).record(part.span)
	for i := range part.samples {
		t.addSample(&part.samples[i])
	}
}

func (t *tally) addSample(s *Sample) {
	at := streamDay{s.Stream, s.SampleMs / dayMs}
	day := t.days[at]
	if day == nil {
		day = new(dayCount)
		t.days[at] = day
	}
	day.samples++
	t.contents.Samples++
	switch s.Kind {
	case ledger.Frame:
		day.frames++
		t.contents.Frames++
		t.contents.Bytes += s.Size
	case ledger.Gap:
		addReason(&day.gaps, s.Outcome, 1)
		t.contents.Gaps[s.Outcome]++
	case ledger.Drop:
		addReason(&day.drops, s.Outcome, 1)
		t.contents.Drops[s.Outcome]++
	}
}

func addReason(to *map[string]int64, reason string, n int64) {
	if *to == nil {
		*to = make(map[string]int64)
	}
	(*to)[reason] += n
}

func (t *tally) coverageOf(series framepb.Series) *coverage {
	c := t.cover[series]
	if c == nil {
		c = new(coverage)
		t.cover[series] = c
	}
	return c
}
