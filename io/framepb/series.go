package framepb

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Series is a stream sampled in one way. Its grid is
//
//	t(i) = PhaseMs + i·IntervalMs   (milliseconds since the Unix epoch)
//
// for every integer i >= 0, so a sample is the same whichever request asked
// for it. Two series are the same exactly if they are equal.
type Series struct {
	StreamARN         string // empty where only the name is known
	StreamName        string
	ImageSelectorType string // PRODUCER_TIMESTAMP or SERVER_TIMESTAMP
	IntervalMs        int32  // sampling interval, > 0
	PhaseMs           int32  // 0 <= PhaseMs < IntervalMs
	Format            string // JPEG or PNG
	JPEGQuality       int32  // 1–100; 0 where it does not apply
	WidthPixels       int32  // 0: the stream's own
	HeightPixels      int32  // 0: the stream's own
}

// At returns the instant of sample i in milliseconds since the Unix epoch.
func (s Series) At(i int64) int64 { return int64(s.PhaseMs) + i*int64(s.IntervalMs) }

// Index returns the index of the last sample at or before the instant ms
// (milliseconds since the Unix epoch).
func (s Series) Index(ms int64) int64 {
	return floorDiv(ms-int64(s.PhaseMs), int64(s.IntervalMs))
}

// ID returns a name of the series that is fit for files and the same in every
// run: the stream's name, and a hash of everything that makes the series.
func (s Series) ID() string {
	h := sha256.Sum256(fmt.Appendf(nil, "%q %q %s %d %d %s %d %d %d", s.StreamARN, s.StreamName,
		s.ImageSelectorType, s.IntervalMs, s.PhaseMs, s.Format, s.JPEGQuality, s.WidthPixels, s.HeightPixels))
	return FileName(s.StreamName) + "_" + hex.EncodeToString(h[:6])
}

// Stored returns the series as a proto.
func (s Series) Stored() *StoredSeries {
	return &StoredSeries{
		StreamArn: s.StreamARN, StreamName: s.StreamName, ImageSelectorType: s.ImageSelectorType,
		IntervalMs: s.IntervalMs, PhaseMs: s.PhaseMs, Format: s.Format, JpegQuality: s.JPEGQuality,
		WidthPixels: s.WidthPixels, HeightPixels: s.HeightPixels,
	}
}

// Value returns the series that x stores.
func (x *StoredSeries) Value() Series {
	return Series{
		StreamARN: x.GetStreamArn(), StreamName: x.GetStreamName(), ImageSelectorType: x.GetImageSelectorType(),
		IntervalMs: x.GetIntervalMs(), PhaseMs: x.GetPhaseMs(), Format: x.GetFormat(), JPEGQuality: x.GetJpegQuality(),
		WidthPixels: x.GetWidthPixels(), HeightPixels: x.GetHeightPixels(),
	}
}

// Span returns the shard that the receipt is of.
func (x *Receipt) Span() Span {
	return Span{Series: x.GetSeries().Value(), First: x.GetFirst(), Samples: int64(x.GetSamples())}
}

// Span returns the samples that were asked for.
func (x *Request) Span() Span {
	return Span{Series: x.GetSeries().Value(), First: x.GetFirst(), Samples: x.GetSamples()}
}

// Span is consecutive samples of one series: a request, a run or a shard.
type Span struct {
	Series  Series
	First   int64 // index of the first sample
	Samples int64
}

// End returns the index after the span's last sample.
func (s Span) End() int64 { return s.First + s.Samples }

// Name returns a name of the span within its series that is fit for files and
// sorts by time: the instant of the first sample and the number of samples,
// "20260101T000000000Z-100".
func (s Span) Name() string {
	return fmt.Sprintf("%s-%d", Instant(s.Series.At(s.First)), s.Samples)
}

// String names the span for people: stream and instants, the end exclusive.
func (s Span) String() string {
	return fmt.Sprintf("%s at %s (%d samples)", s.Series.StreamName,
		time.UnixMilli(s.Series.At(s.First)).UTC().Format(time.RFC3339Nano), s.Samples)
}

// Instant writes milliseconds since the Unix epoch as "20260101T000003000Z":
// it sorts by time and holds no dot.
func Instant(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 {
		return strings.Replace(t.Format("20060102T150405.000Z"), ".", "", 1)
	}
	// Every name and key has one: Format takes some times as long.
	b := make([]byte, 0, len("20060102T150405000Z"))
	b = appendDigits(b, year, 1000)
	b = appendDigits(b, int(month), 10)
	b = append(appendDigits(b, day, 10), 'T')
	b = appendDigits(b, hour, 10)
	b = appendDigits(b, minute, 10)
	b = appendDigits(b, second, 10)
	return string(append(appendDigits(b, t.Nanosecond()/1e6, 100), 'Z'))
}

// appendDigits appends a number, whose first digit stands for as many as unit.
func appendDigits(b []byte, n, unit int) []byte {
	for ; unit > 0; unit /= 10 {
		b = append(b, byte('0'+n/unit%10))
	}
	return b
}

// ParseInstant reads what Instant wrote.
func ParseInstant(s string) (int64, error) {
	if len(s) != len("20060102T150405000Z") {
		return 0, fmt.Errorf("instant %q is not of the form 20060102T150405000Z", s)
	}
	t, err := time.Parse("20060102T150405.000Z", s[:15]+"."+s[15:])
	if err != nil || Instant(t.UnixMilli()) != s { // it takes signs among the digits
		return 0, fmt.Errorf("instant %q is not of the form 20060102T150405000Z", s)
	}
	return t.UnixMilli(), nil
}

// Key returns the name of a sample's picture without its extension,
// "front-door_20260101T000003000Z". It is the key of the sample in every
// dataset format, so it holds no dot: readers of tar shards cut a key there.
func Key(stream string, ms int64) string { return FileName(stream) + "_" + Instant(ms) }

// longestName leaves room for an instant and an extension in the 255 bytes
// that file systems give a name.
const longestName = 200

// FileName returns a stream's name as it stands in keys and file names. Dots
// become "~" and a leading "_" becomes "+", which no stream name holds: pyarrow,
// Spark and Hugging Face's datasets pass over what begins with "." or "_". A name
// over 200 characters is cut and ends in a hash of the whole.
func FileName(stream string) string {
	name := strings.ReplaceAll(stream, ".", "~")
	if rest, ok := strings.CutPrefix(name, "_"); ok {
		name = "+" + rest
	}
	if len(name) > longestName {
		h := sha256.Sum256([]byte(stream))
		name = name[:longestName-13] + "~" + hex.EncodeToString(h[:6])
	}
	return name
}

// Crosses reports whether a span has samples on both sides of a multiple of n.
func (s Span) Crosses(n int64) bool {
	return floorDiv(s.First, n) != floorDiv(s.First+max(s.Samples, 1)-1, n)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
