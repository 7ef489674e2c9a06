package ledger

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// MaxShardSamples is the most samples that a shard may have. No file, and no name of
// one, is believed that says more.
const MaxShardSamples = 10000

// Failed reports whether a receipt has FAILED gaps, so that its shard is to be
// fetched again.
func Failed(receipt *framepb.Receipt) bool {
	for _, gap := range receipt.GetGaps() {
		if gap.GetReason() == frame.Failed {
			return true
		}
	}
	return false
}

func checkSeries(series frame.Series) error {
	switch {
	case series.IntervalMs <= 0:
		return fmt.Errorf("the series' interval is %d ms, it must be positive", series.IntervalMs)
	case series.PhaseMs < 0 || series.PhaseMs >= series.IntervalMs:
		return fmt.Errorf("the series' phase is %d ms, it must be from 0 to %d", series.PhaseMs, series.IntervalMs-1)
	}
	return nil
}

func checkSpan(span frame.Span) error {
	if err := checkSeries(span.Series); err != nil {
		return err
	}
	switch {
	case span.Samples <= 0:
		return fmt.Errorf("it has %d samples, it must have at least one", span.Samples)
	case span.First < 0 || span.End() < span.First:
		return fmt.Errorf("its first sample is %d, it must not be before the epoch", span.First)
	}
	return nil
}

// checkShardSpan is checkSpan for what may be the samples of one shard.
func checkShardSpan(span frame.Span) error {
	if span.Samples > MaxShardSamples {
		return fmt.Errorf("it has %d samples, a shard has at most %d", span.Samples, MaxShardSamples)
	}
	return checkSpan(span)
}

// check holds a receipt against what its name promises and adds up its parts.
// Everything that reads a receipt later trusts it.
func check(receipt *framepb.Receipt, entry Entry) error {
	return checkBut(receipt, entry, checkColumns)
}

// checkBut is check, with the columns of its frames left to columns, or out where that is nil.
func checkBut(receipt *framepb.Receipt, entry Entry, columns func(*framepb.Receipt) error) error {
	span := receipt.Span()
	if err := checkShardSpan(span); err != nil {
		return err
	}
	if span != entry.Span {
		return fmt.Errorf("it is the receipt of %s in %s", span.Name(), span.Series.ID())
	}
	if Failed(receipt) != entry.Failed {
		return errors.New("its name and its gaps do not agree on whether it failed")
	}
	samples, err := checkRuns(receipt)
	if err != nil {
		return err
	}
	if frames := int64(receipt.Samples) - samples; int64(receipt.Frames) != frames {
		return fmt.Errorf("it says %d frames, gaps and drops leave %d", receipt.Frames, frames)
	}
	switch hasFrames := receipt.Frames > 0; {
	case hasFrames && !filepath.IsLocal(filepath.FromSlash(receipt.Path)) || !hasFrames && receipt.Path != "":
		return fmt.Errorf("its path is %q for %d frames", receipt.Path, receipt.Frames)
	case receipt.Format != "" && !isKept(receipt.Format):
		return fmt.Errorf("its format is %q", receipt.Format)
	case receipt.Bytes < 0:
		return fmt.Errorf("its pictures have %d bytes", receipt.Bytes)
	case columns == nil:
		return nil
	}
	return columns(receipt)
}

// checkRuns returns how many samples are gaps or drops.
func checkRuns(receipt *framepb.Receipt) (samples int64, err error) {
	gaps, drops := receipt.Gaps, receipt.Drops
	for _, gap := range gaps {
		if !slices.Contains(frame.GapReasons, gap.GetReason()) {
			return 0, fmt.Errorf("it has a gap of reason %q: it must be one of %s", gap.GetReason(),
				strings.Join(frame.GapReasons, ", "))
		}
	}
	var end int64
	take := func(offset, count int32, reason string) error {
		if int64(offset) < end || count <= 0 || reason == "" {
			return fmt.Errorf("its run of %d %q at %d is out of place", count, reason, offset)
		}
		end = int64(offset) + int64(count)
		samples += int64(count)
		return nil
	}
	for err == nil && len(gaps)+len(drops) > 0 {
		if len(drops) == 0 || len(gaps) > 0 && gaps[0].GetOffset() < drops[0].GetOffset() {
			err = take(gaps[0].GetOffset(), gaps[0].GetSamples(), gaps[0].GetReason())
			gaps = gaps[1:]
		} else {
			err = take(drops[0].GetOffset(), drops[0].GetSamples(), drops[0].GetReason())
			drops = drops[1:]
		}
	}
	if err == nil && end > int64(receipt.Samples) {
		err = fmt.Errorf("its gaps and drops reach to %d of %d samples", end, receipt.Samples)
	}
	return samples, err
}

func checkColumns(receipt *framepb.Receipt) error {
	frames := int(receipt.Frames)
	short := func(n int) bool { return n == frames || n == 1 && frames > 0 }
	whole := len(receipt.Sizes) == frames && len(receipt.Sha256) == frames*sha256.Size &&
		len(receipt.ImageOffsetsMs) == frames &&
		short(len(receipt.Widths)) && short(len(receipt.Heights))
	if n := len(receipt.Labels); n > 0 {
		whole = whole && n == frames
	}
	if n := len(receipt.TensorSizes); n > 0 || len(receipt.TensorSha256) > 0 {
		whole = whole && n > 0 && short(n) && len(receipt.TensorSha256) == frames*sha256.Size
	}
	if !whole {
		return fmt.Errorf("its columns are not of %d frames", frames)
	}
	negative := func(n int32) bool { return n < 0 }
	if slices.ContainsFunc(receipt.Widths, negative) || slices.ContainsFunc(receipt.Heights, negative) {
		return errors.New("it has a picture of less than no pixels")
	}
	var bytes int64
	for _, size := range receipt.Sizes {
		if size <= 0 {
			return fmt.Errorf("it has a picture of %d bytes", size)
		}
		bytes += int64(size)
	}
	for _, size := range receipt.TensorSizes {
		if size <= 0 {
			return fmt.Errorf("it has a tensor of %d bytes", size)
		}
	}
	if bytes != receipt.Bytes {
		return fmt.Errorf("it says %d bytes, its pictures have %d", receipt.Bytes, bytes)
	}
	return nil
}
