package dataset

import "github.com/kvsframes/kvsframes/io/frame"

// coverage is which samples of a series were asked for, and which are in
// receipts.
type coverage struct {
	asked    []frame.Span
	recorded []frame.Span // each sample once: in order, apart
	samples  int64        // of all receipts
}

// covers is the coverage of each series.
type covers map[frame.Series]*coverage

func (c covers) of(series frame.Series) *coverage {
	if c[series] == nil {
		c[series] = new(coverage)
	}
	return c[series]
}

func (c *coverage) ask(span frame.Span) { c.asked = append(c.asked, span) }

// record takes the receipts' spans by first sample. It returns the samples that a span
// before this one has, too: none where there are none.
func (c *coverage) record(span frame.Span) (twice frame.Span) {
	c.samples += span.Samples
	n := len(c.recorded)
	if n == 0 || c.recorded[n-1].End() < span.First {
		c.recorded = append(c.recorded, span)
		return twice
	}
	last := &c.recorded[n-1]
	twice = span
	twice.Samples = min(last.End(), span.End()) - span.First
	last.Samples = max(last.End(), span.End()) - last.First
	return twice
}
