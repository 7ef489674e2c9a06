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

// Sample is what became of a sample, and where its picture lies: a row of the index.
type Sample struct {
	Key       string // [frame.Key]
	Stream    string // name
	StreamARN string // empty where only the name is known
	Series    string // [frame.Series.ID]
	SampleMs  int64  // the instant asked for, in milliseconds since the Unix epoch
	Kind      ledger.Kind
	Outcome   string // FRAME, or the reason of a gap or of a drop

	// Of a frame. In any other row they are zero, and null in the file.
	ImageMs int64  // the instant of the picture that the service found
	File    string // that holds the picture: relative to the dataset, with forward slashes
	Offset  int64  // of the picture's first byte in File
	Size    int64  // bytes of the picture
	SHA256  [32]byte
	Format  string // JPEG, PNG or NPY
	Width   int32  // pixels
	Height  int32  // pixels

	Labels map[string]string // what a function said about the frame; nil, and null in the file, where none did

	// Of the tensor beside the picture; zero, and null in the file, where there is
	// none.
	TensorFile   string // that holds it, as File
	TensorOffset int64  // of its first byte in TensorFile
	TensorSize   int64  // bytes
	TensorSHA256 [32]byte
}

// frameOutcome is Sample.Outcome of a frame.
const frameOutcome = "FRAME"

// maxSamples bounds Samples.
const maxSamples = 100_000

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
		files, err := d.ledger.Files(ctx, series)
		if err != nil {
			return nil, err
		}
		var span frame.Span
		for _, entry := range append(files.Loose, files.Sealed...) {
			if span.Samples == 0 {
				span = entry.Span
			}
			span = span.Slice(min(span.First, entry.Span.First), max(span.End(), entry.Span.End()))
		}
		if span.Samples > 0 {
			spans = append(spans, span)
		}
	}
	return spans, nil
}

// Samples yields all recorded samples of spans, in the order of the index. If places
// is true, they say where their pictures lie, which takes more time.
//
// Where a picture lies follows from its receipt, sealed or loose, which is checked when it is
// read: what the rows of the index say of files, whoever wrote it, is not asked.
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
					if len(group.Samples) < maxSamples {
						continue
					}
					if !yield(group, nil) {
						return
					}
					group = Samples{Samples: make([]Sample, 0, maxSamples)}
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
	n := min(len(part.samples), maxSamples-len(g.Samples))
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
		return indexed{}, &ledger.DamagedError{Path: part.Entry.Path(), Entry: part.Entry, Err: err}
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
