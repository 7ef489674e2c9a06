package framepb

import (
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/io/frame"
)

func init() {
	beam.RegisterType(reflect.TypeFor[*Work]())
	beam.RegisterType(reflect.TypeFor[*Receipt]())
	beam.RegisterType(reflect.TypeFor[*Request]())
}

// RequestOf returns a span as it is stored.
func RequestOf(span frame.Span) *Request {
	return &Request{Series: SeriesOf(span.Series), First: span.First, Samples: span.Samples}
}

// SeriesOf returns a series as it is stored.
func SeriesOf(s frame.Series) *StoredSeries {
	return &StoredSeries{
		StreamArn: s.StreamARN, StreamName: s.StreamName, ImageSelectorType: s.ImageSelectorType,
		IntervalMs: s.IntervalMs, PhaseMs: s.PhaseMs, Format: s.Format, JpegQuality: s.JPEGQuality,
		WidthPixels: s.WidthPixels, HeightPixels: s.HeightPixels,
	}
}

// Value returns the series that x stores.
func (x *StoredSeries) Value() frame.Series {
	return frame.Series{
		StreamARN: x.GetStreamArn(), StreamName: x.GetStreamName(), ImageSelectorType: x.GetImageSelectorType(),
		IntervalMs: x.GetIntervalMs(), PhaseMs: x.GetPhaseMs(), Format: x.GetFormat(), JPEGQuality: x.GetJpegQuality(),
		WidthPixels: x.GetWidthPixels(), HeightPixels: x.GetHeightPixels(),
	}
}

// Span returns the shard that the receipt is of.
func (x *Receipt) Span() frame.Span {
	return frame.Span{Series: x.GetSeries().Value(), First: x.GetFirst(), Samples: int64(x.GetSamples())}
}

// Span returns the samples that were asked for.
func (x *Request) Span() frame.Span {
	return frame.Span{Series: x.GetSeries().Value(), First: x.GetFirst(), Samples: x.GetSamples()}
}
