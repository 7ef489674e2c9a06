package frame

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
