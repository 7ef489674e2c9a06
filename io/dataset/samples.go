package dataset

import (
	"context"
	"fmt"
	"iter"
	"path"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// Samples is at most 100,000 samples, in the order of the index.
type Samples struct {
	Spans   []frame.Span // that they are of, each sample once
	Samples []Sample
}

// Recorded lists the series that have receipts, in the order of the index: each as the
// span from its first recorded sample to its last.
func (d *Dataset) Recorded(ctx context.Context) ([]frame.Span, error) {
	all, err := d.ledger.Series(ctx)
	if err != nil {
		return nil, err
	}
	var spans []frame.Span
	for _, series := range all {
		entries, err := d.ledger.Have(ctx, series)
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

// Samples yields all recorded samples of spans, in the order of the index. If places
// is true, they say where their pictures lie, which takes more time.
//
// It reads receipts, not the index. Whoever can write index.parquet could leave rows out of
// it, double them, or name files elsewhere, and it may be older than a receipt of the same
// name. A receipt is checked when it is read, and where its pictures lie follows from it.
func (d *Dataset) Samples(ctx context.Context, spans []frame.Span, places bool) iter.Seq2[Samples, error] {
	do := d.outcomesOf
	if places {
		do = d.rowsOf
	}
	return func(yield func(Samples, error) bool) {
		var group Samples
		for _, span := range spans {
			if err := span.Series.CheckNames(); err != nil {
				yield(Samples{}, fmt.Errorf("the receipts in %q are of no stream: %w", "ledger/"+span.Series.ID(), err))
				return
			}
			for part, err := range ledger.PartsOf(ctx, d.ledger, span, do) {
				if err != nil {
					yield(Samples{}, err)
					return
				}
				for len(part.samples) > 0 {
					part = group.take(part)
					if len(group.Samples) < indexGroupRows {
						continue
					}
					if !yield(group, nil) {
						return
					}
					group = Samples{Samples: make([]Sample, 0, indexGroupRows)}
				}
			}
		}
		if len(group.Samples) > 0 {
			yield(group, nil)
		}
	}
}

// take adds as many samples of a part as there is room for, and returns the others.
func (g *Samples) take(part indexed) indexed {
	n := min(len(part.samples), indexGroupRows-len(g.Samples))
	g.Samples = append(g.Samples, part.samples[:n]...)
	taken, rest := part.span, part.span
	taken.Samples = int64(n)
	rest.First, rest.Samples = taken.End(), rest.Samples-taken.Samples
	if last := len(g.Spans) - 1; last >= 0 && g.Spans[last].Series == taken.Series && g.Spans[last].End() == taken.First {
		g.Spans[last].Samples += taken.Samples
	} else {
		g.Spans = append(g.Spans, taken)
	}
	return indexed{rest, part.samples[n:]}
}

// indexed is the rows of consecutive samples.
type indexed struct {
	span    frame.Span
	samples []Sample
}

// rowsOf is the rows of a part. A receipt that no writer of this dataset can have
// made is damaged.
func (d *Dataset) rowsOf(part ledger.Part) (indexed, error) {
	blobs, err := d.format.Positions(part.Receipt)
	return d.samplesOf(part, blobs, err)
}

// outcomesOf is rowsOf for whoever does not ask where pictures lie.
func (d *Dataset) outcomesOf(part ledger.Part) (indexed, error) {
	return d.samplesOf(part, nil, nil)
}

func (d *Dataset) samplesOf(part ledger.Part, blobs []container.Blob, err error) (indexed, error) {
	receipt := part.Receipt
	span := receipt.Span()
	if err == nil {
		err = checkPath(d.format, receipt)
	}
	if err == nil {
		err = checkTransforms(d.desc, receipt)
	}
	if err != nil {
		entry := ledger.Entry{Span: span, Failed: ledger.Failed(receipt)}
		return indexed{}, &ledger.DamagedError{Path: entry.Path(), Entry: entry, Err: err}
	}
	pictures, tensors := make([]container.Position, receipt.Frames), make([]container.Position, receipt.Frames)
	for _, b := range blobs {
		if b.Tensor {
			tensors[b.Frame] = b.Position
		} else {
			pictures[b.Frame] = b.Position
		}
	}
	series, id := span.Series, span.Series.ID()
	samples := make([]Sample, 0, part.Span.Samples)
	for outcome := range part.Outcomes() {
		at := series.At(outcome.Index)
		s := Sample{
			Key: frame.Key(series.StreamName, at), Stream: series.StreamName, StreamARN: series.StreamARN, Series: id,
			SampleMs: at, Kind: outcome.Kind, Outcome: outcome.Reason,
		}
		if outcome.Kind == ledger.Frame {
			picture, tensor := pictures[outcome.Number], tensors[outcome.Number]
			s.Outcome, s.ImageMs = frameOutcome, at+int64(outcome.OffsetMs)
			s.File, s.Offset, s.Size = path.Join(receipt.Path, picture.Name), picture.Offset, int64(outcome.Size)
			s.SHA256, s.Format = [32]byte(outcome.SHA256), ledger.Format(receipt)
			s.Width, s.Height, s.Labels = outcome.Width, outcome.Height, outcome.Labels
			if outcome.TensorSize > 0 {
				s.TensorFile, s.TensorOffset = path.Join(receipt.Path, tensor.Name), tensor.Offset
				s.TensorSize, s.TensorSHA256 = int64(outcome.TensorSize), [32]byte(outcome.TensorSHA256)
			}
		}
		samples = append(samples, s)
	}
	return indexed{part.Span, samples}, nil
}
