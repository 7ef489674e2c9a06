package ledger

import (
	"crypto/sha256"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// ShardError says why a shard is not one: each sample of its span must be
// exactly one frame, gap or drop.
type ShardError struct {
	Span    frame.Span
	Problem string
}

func (e *ShardError) Error() string { return fmt.Sprintf("shard of %v: %s", e.Span, e.Problem) }

// NewReceipt returns the receipt of a shard whose pictures are at path, relative
// to the dataset and with forward slashes; a shard without frames has no path.
// It hashes every picture. The error is a *ShardError where a sample is not
// exactly one of frame, gap and drop, one of these is off the grid, outside of
// the span or out of order, a gap's reason is not one of [frame.GapReasons], the
// samples are more than MaxShardSamples, or a frame is not a picture of the span's stream in
// the format of the others, with a tensor beside it if those have one.
func NewReceipt(shard frame.Shard, path string) (*framepb.Receipt, error) {
	span := shard.Span
	if err := checkShardSpan(span); err != nil {
		return nil, &ShardError{span, err.Error()}
	}
	if n := len(shard.Frames) + len(shard.Gaps) + len(shard.Drops); int64(n) != span.Samples {
		return nil, &ShardError{span, fmt.Sprintf("%d frames, %d gaps and %d drops are not %d samples",
			len(shard.Frames), len(shard.Gaps), len(shard.Drops), span.Samples)}
	}
	receipt := &framepb.Receipt{
		Series: framepb.SeriesOf(span.Series), First: span.First, Samples: int32(span.Samples),
		Frames: int32(len(shard.Frames)),
	}
	if err := fillRuns(receipt, shard); err != nil {
		return nil, err
	}
	if len(shard.Frames) > 0 {
		receipt.Path = path
		if err := fillColumns(receipt, shard); err != nil {
			return nil, err
		}
	}
	return receipt, nil
}

// fillRuns walks the samples and takes each off the head of the one list that
// has it.
func fillRuns(receipt *framepb.Receipt, shard frame.Shard) error {
	frames, gaps, drops := shard.Frames, shard.Gaps, shard.Drops
	words := make(words)
	for i := range int32(shard.Span.Samples) {
		at := shard.Span.Series.At(shard.Span.First + int64(i))
		var is []string
		if len(frames) > 0 && frames[0].SampleMs == at {
			is, frames = append(is, "frame"), frames[1:]
		}
		if len(gaps) > 0 && gaps[0].SampleMs == at {
			addGap(receipt, i, gaps[0], words)
			is, gaps = append(is, "gap"), gaps[1:]
		}
		if len(drops) > 0 && drops[0].SampleMs == at {
			addDrop(receipt, i, drops[0], words)
			is, drops = append(is, "drop"), drops[1:]
		}
		if len(is) != 1 {
			return &ShardError{shard.Span, fmt.Sprintf("the sample at %s is [%s]: it must be exactly one of frame, gap and "+
				"drop, in time order",
				time.UnixMilli(at).UTC().Format(time.RFC3339Nano), strings.Join(is, ", "))}
		}
	}
	for _, gap := range receipt.Gaps {
		if !slices.Contains(frame.GapReasons, gap.Reason) {
			return &ShardError{shard.Span, fmt.Sprintf("a gap has the reason %q: it must be one of %s", gap.Reason,
				strings.Join(frame.GapReasons, ", "))}
		}
	}
	for _, drop := range receipt.Drops {
		if drop.Reason == "" {
			return &ShardError{shard.Span, "a drop has no reason"}
		}
	}
	return nil
}

// words are texts as they may be stored. They are few in a shard, and each takes a
// while to clean.
type words map[string]string

func (w words) of(text string) string {
	clean, ok := w[text]
	if !ok {
		clean = outside.Text(text)
		w[text] = clean
	}
	return clean
}

func addGap(receipt *framepb.Receipt, offset int32, gap frame.Gap, words words) {
	reason, cause := words.of(gap.Reason), words.of(gap.Cause)
	if n := len(receipt.Gaps); n > 0 {
		last := receipt.Gaps[n-1]
		if last.Offset+last.Samples == offset && last.Reason == reason && last.Cause == cause {
			last.Samples++
			return
		}
	}
	receipt.Gaps = append(receipt.Gaps, &framepb.GapRun{Offset: offset, Samples: 1, Reason: reason, Cause: cause})
}

func addDrop(receipt *framepb.Receipt, offset int32, drop frame.Drop, words words) {
	reason := words.of(drop.Reason)
	if n := len(receipt.Drops); n > 0 {
		last := receipt.Drops[n-1]
		if last.Offset+last.Samples == offset && last.Reason == reason {
			last.Samples++
			return
		}
	}
	receipt.Drops = append(receipt.Drops, &framepb.DropRun{Offset: offset, Samples: 1, Reason: reason})
}

func fillColumns(receipt *framepb.Receipt, shard frame.Shard) error {
	n := len(shard.Frames)
	receipt.Sizes = make([]int32, n)
	receipt.ImageOffsetsMs = make([]int32, n)
	receipt.Widths = make([]int32, n)
	receipt.Heights = make([]int32, n)
	format := shard.Frames[0].Format
	for i := range shard.Frames {
		picture := &shard.Frames[i]
		problem := frameProblem(picture, shard.Span.Series, format)
		if problem == "" && len(picture.Tensor) > 0 != hasTensors(shard) {
			problem = "has a tensor beside it, or has none, unlike the frames before it: all of a shard have one, or none has"
		}
		if problem != "" {
			return &ShardError{shard.Span, fmt.Sprintf("the frame at %s %s", picture.SampleTime().Format(time.RFC3339Nano),
				problem)}
		}
		receipt.Sizes[i] = int32(len(picture.Data))
		receipt.Bytes += int64(len(picture.Data))
		receipt.ImageOffsetsMs[i] = int32(picture.ImageMs - picture.SampleMs)
		receipt.Widths[i], receipt.Heights[i] = picture.Width, picture.Height
	}
	receipt.Widths, receipt.Heights = shorten(receipt.Widths), shorten(receipt.Heights)
	receipt.Sha256 = hashes(shard.Frames, func(f *frame.Frame) []byte { return f.Data })
	receipt.Labels = labels(shard.Frames)
	if hasTensors(shard) {
		fillTensors(receipt, shard.Frames)
	}
	if format != shard.Span.Series.Format {
		receipt.Format = format
	}
	return nil
}

func hasTensors(shard frame.Shard) bool { return len(shard.Frames[0].Tensor) > 0 }

func fillTensors(receipt *framepb.Receipt, frames []frame.Frame) {
	receipt.TensorSizes = make([]int32, len(frames))
	for i := range frames {
		receipt.TensorSizes[i] = int32(len(frames[i].Tensor))
	}
	receipt.TensorSizes = shorten(receipt.TensorSizes)
	receipt.TensorSha256 = hashes(frames, func(f *frame.Frame) []byte { return f.Tensor })
}

// hashes are the SHA-256 of what all frames have, made on all CPUs: one alone takes
// longer than to write the shard.
func hashes(frames []frame.Frame, of func(*frame.Frame) []byte) []byte {
	sums := make([]byte, len(frames)*sha256.Size)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range frames {
		group.Go(func() error {
			sum := sha256.Sum256(of(&frames[i]))
			copy(sums[i*sha256.Size:], sum[:])
			return nil
		})
	}
	group.Wait() // none fails
	return sums
}

// labels are those of all frames, or nil where none has any.
func labels(frames []frame.Frame) []*framepb.Labels {
	if !slices.ContainsFunc(frames, func(f frame.Frame) bool { return len(f.Labels) > 0 }) {
		return nil
	}
	all := make([]*framepb.Labels, len(frames))
	for i := range frames {
		all[i] = &framepb.Labels{Values: frames[i].Labels}
	}
	return all
}

// areTexts: a label that is not UTF-8 would be another one in the receipt than in the
// shard's file, which would then be taken for damaged.
func areTexts(labels map[string]string) bool {
	for name, value := range labels {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return false
		}
	}
	return true
}

// isKept: pixels without a header are not what anybody could read again.
func isKept(format string) bool {
	return format == frame.JPEG || format == frame.PNG || format == frame.NPY
}

func frameProblem(f *frame.Frame, series frame.Series, format string) string {
	offset := f.ImageMs - f.SampleMs
	switch {
	case f.Stream != series.StreamName:
		return fmt.Sprintf("is of stream %q, not of %q", f.Stream, series.StreamName)
	case !isKept(f.Format):
		return fmt.Sprintf("has format %q, it must be JPEG, PNG or NPY", f.Format)
	case f.Format != format:
		return fmt.Sprintf("is a %s, the frames before it are %ss: one shard has one format", f.Format, format)
	case len(f.Data) == 0 || len(f.Data) > math.MaxInt32:
		return fmt.Sprintf("has %d bytes, it must have 1 to %d", len(f.Data), math.MaxInt32)
	case len(f.Tensor) > math.MaxInt32:
		return fmt.Sprintf("has a tensor of %d bytes, it must have at most %d", len(f.Tensor), math.MaxInt32)
	case f.Format == frame.NPY && len(f.Tensor) > 0:
		return "is a tensor, and has another one beside it"
	case offset < math.MinInt32 || offset > math.MaxInt32:
		return fmt.Sprintf("has an image that is %d ms away, it must be less than %d", offset, math.MaxInt32)
	case !areTexts(f.Labels):
		return "has labels that are not UTF-8"
	case f.Width < 0 || f.Height < 0:
		return fmt.Sprintf("is %d×%d pixels", f.Width, f.Height)
	}
	return ""
}

// shorten leaves one entry of a column whose entries are all equal.
func shorten(column []int32) []int32 {
	if slices.ContainsFunc(column, func(v int32) bool { return v != column[0] }) {
		return column
	}
	return column[:1]
}
