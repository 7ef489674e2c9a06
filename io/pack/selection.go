package pack

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// selection is which samples are packed, if they are frames.
type selection struct {
	Streams        []string // names, in order; none: all
	StartMs, EndMs int64
}

func selectionOf(o Options) selection {
	s := selection{
		Streams: slices.Compact(slices.Sorted(slices.Values(o.Streams))), StartMs: math.MinInt64,
		EndMs: math.MaxInt64,
	}
	if !o.Start.IsZero() {
		s.StartMs = ceilMs(o.Start)
	}
	if !o.End.IsZero() {
		s.EndMs = ceilMs(o.End)
	}
	return s
}

// ceilMs is the first millisecond that is not before t.
func ceilMs(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

func (s *selection) has(stream string) bool {
	if len(s.Streams) == 0 {
		return true
	}
	_, ok := slices.BinarySearch(s.Streams, stream)
	return ok
}

func (s *selection) covers(sample *dataset.Sample) bool {
	return s.StartMs <= sample.SampleMs && sample.SampleMs < s.EndMs && s.has(sample.Stream)
}

// of yields the samples that are packed.
func (s *selection) of(samples []dataset.Sample) iter.Seq[*dataset.Sample] {
	return func(yield func(*dataset.Sample) bool) {
		for i := range samples {
			sample := &samples[i]
			if sample.Kind == ledger.Frame && s.covers(sample) && !yield(sample) {
				return
			}
		}
	}
}

// sum is a hash of which frames are packed, of their pictures, labels and tensors.
func (s *selection) sum(samples []dataset.Sample) []byte {
	hash := sha256.New()
	var line []byte
	for sample := range s.of(samples) {
		line = fmt.Appendf(line[:0], "%s %d %d %s %d %d %d ", sample.Series, sample.SampleMs, sample.ImageMs,
			sample.Format, sample.Width, sample.Height, sample.Size)
		line = append(line, sample.SHA256[:]...)
		if len(sample.Labels) > 0 {
			line = append(line, frame.LabelsJSON(sample.Labels)...)
		}
		if sample.TensorSize > 0 {
			line = fmt.Appendf(line, "%d ", sample.TensorSize)
			line = append(line, sample.TensorSHA256[:]...)
		}
		hash.Write(line)
	}
	return hash.Sum(nil)
}

// span is the part of a span that a selection covers, if they are frames.
func (s *selection) span(span frame.Span) frame.Span {
	if !s.has(span.Series.StreamName) {
		span.Samples = 0
		return span
	}
	first, end := span.First, span.End()
	if s.StartMs > span.Series.At(first) {
		first = span.Series.Index(s.StartMs-1) + 1
	}
	if s.EndMs <= span.Series.At(end-1) {
		end = span.Series.Index(s.EndMs-1) + 1
	}
	span.First, span.Samples = first, max(0, end-first)
	return span
}

// spans are the parts of spans that a selection covers.
func (s *selection) spans(all []frame.Span) []frame.Span {
	var covered []frame.Span
	for _, span := range all {
		if part := s.span(span); part.Samples > 0 {
			covered = append(covered, part)
		}
	}
	return covered
}

// hulls are spans without the holes between those of one series.
func hulls(spans []frame.Span) []frame.Span {
	var all []frame.Span
	for _, span := range spans {
		if last := len(all) - 1; last >= 0 && all[last].Series == span.Series {
			all[last].Samples = span.End() - all[last].First
		} else {
			all = append(all, span)
		}
	}
	return all
}
