package dataset

import (
	"context"
	"fmt"
	"iter"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// Pack reads samples from receipts, not from the index. Whoever can write
// index.parquet could leave rows out of it, double them, or name files elsewhere,
// and it may be older than a receipt of the same name. A receipt is checked when it
// is read, and where its pictures lie follows from it.

// sampleGroup is at most indexGroupRows samples, in the order of the index.
type sampleGroup struct {
	spans   []framepb.Span // that they are of, each sample once
	samples []Sample
}

// recordedSpans lists the series that have receipts, in the order of the index: each
// as the span from its first recorded sample to its last.
func recordedSpans(book *ledger.Ledger) ([]framepb.Span, error) {
	all, err := book.Series()
	if err != nil {
		return nil, err
	}
	var spans []framepb.Span
	for _, series := range all {
		entries, err := book.Have(series)
		if err != nil {
			return nil, err
		}
		if len(entries) == 0 {
			continue
		}
		span := entries[0].Span
		for _, entry := range entries {
			span.Samples = max(span.End(), entry.Span.End()) - span.First
		}
		spans = append(spans, span)
	}
	return spans, nil
}

// groupsOf yields all recorded samples of spans, as do makes them of parts: rowsOf or
// outcomesOf.
func (c *cataloger) groupsOf(
	ctx context.Context, spans []framepb.Span, do func(ledger.Part) (indexed, error),
) iter.Seq2[sampleGroup, error] {
	return func(yield func(sampleGroup, error) bool) {
		var group sampleGroup
		for _, span := range spans {
			if err := span.Series.CheckNames(); err != nil {
				yield(sampleGroup{}, fmt.Errorf("the receipts in %q are of no stream: %w", "ledger/"+span.Series.ID(), err))
				return
			}
			for part, err := range ledger.PartsOf(c.ledger.WithContext(ctx), span, do) {
				if err != nil {
					yield(sampleGroup{}, err)
					return
				}
				for len(part.samples) > 0 {
					part = group.take(part)
					if len(group.samples) < indexGroupRows {
						continue
					}
					if !yield(group, nil) {
						return
					}
					group = sampleGroup{samples: make([]Sample, 0, indexGroupRows)}
				}
			}
		}
		if len(group.samples) > 0 {
			yield(group, nil)
		}
	}
}

// take adds as many samples of a part as there is room for, and returns the others.
func (g *sampleGroup) take(part indexed) indexed {
	n := min(len(part.samples), indexGroupRows-len(g.samples))
	g.samples = append(g.samples, part.samples[:n]...)
	taken, rest := part.span, part.span
	taken.Samples = int64(n)
	rest.First, rest.Samples = taken.End(), rest.Samples-taken.Samples
	if last := len(g.spans) - 1; last >= 0 && g.spans[last].Series == taken.Series && g.spans[last].End() == taken.First {
		g.spans[last].Samples += taken.Samples
	} else {
		g.spans = append(g.spans, taken)
	}
	return indexed{rest, part.samples[n:]}
}

// hulls are spans without the holes between those of one series.
func hulls(spans []framepb.Span) []framepb.Span {
	var all []framepb.Span
	for _, span := range spans {
		if last := len(all) - 1; last >= 0 && all[last].Series == span.Series {
			all[last].Samples = span.End() - all[last].First
		} else {
			all = append(all, span)
		}
	}
	return all
}
