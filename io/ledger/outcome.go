package ledger

import (
	"crypto/sha256"
	"iter"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// Kind is what a sample ended as.
type Kind int

// A sample ends as exactly one of these.
const (
	Frame Kind = iota
	Gap
	Drop
)

// String returns frame, gap or drop.
func (k Kind) String() string { return [...]string{"frame", "gap", "drop"}[k] }

// Outcome is what became of one sample, as its receipt says.
type Outcome struct {
	Index int64 // of the sample on its series' grid
	Kind  Kind

	// Of a gap or a drop.
	Reason string
	Cause  string // of a gap, for people

	// Of a frame.
	Number   int               // among the frames of its shard, from 0
	Size     int32             // bytes
	SHA256   []byte            // 32 bytes, shared with the receipt
	OffsetMs int32             // image time - sample time
	Width    int32             // pixels
	Height   int32             // pixels
	Labels   map[string]string // shared with the receipt; nil where it has none

	// Of the tensor beside the picture; zero where there is none.
	TensorSize   int32  // bytes
	TensorSHA256 []byte // 32 bytes, shared with the receipt
}

// Outcomes yields what became of each sample of a shard, in time order. The
// receipt must be one that this package made or read.
func Outcomes(receipt *framepb.Receipt) iter.Seq[Outcome] {
	return func(yield func(Outcome) bool) {
		gaps, drops := receipt.Gaps, receipt.Drops
		number := 0
		for i := int32(0); i < receipt.Samples; i++ {
			outcome := Outcome{Index: receipt.First + int64(i)}
			switch {
			case len(gaps) > 0 && gaps[0].Offset <= i:
				outcome.Kind, outcome.Reason, outcome.Cause = Gap, gaps[0].Reason, gaps[0].Cause
				if gaps[0].Offset+gaps[0].Samples == i+1 {
					gaps = gaps[1:]
				}
			case len(drops) > 0 && drops[0].Offset <= i:
				outcome.Kind, outcome.Reason = Drop, drops[0].Reason
				if drops[0].Offset+drops[0].Samples == i+1 {
					drops = drops[1:]
				}
			default:
				outcome.fill(receipt, number)
				number++
			}
			if !yield(outcome) {
				return
			}
		}
	}
}

func (o *Outcome) fill(receipt *framepb.Receipt, number int) {
	o.Kind, o.Number = Frame, number
	o.Size = receipt.Sizes[number]
	o.SHA256 = receipt.Sha256[number*sha256.Size : (number+1)*sha256.Size]
	o.OffsetMs = receipt.ImageOffsetsMs[number]
	o.Width = receipt.Widths[min(number, len(receipt.Widths)-1)]
	o.Height = receipt.Heights[min(number, len(receipt.Heights)-1)]
	if len(receipt.Labels) > 0 {
		o.Labels = receipt.Labels[number].GetValues()
	}
	if n := len(receipt.TensorSizes); n > 0 {
		o.TensorSize = receipt.TensorSizes[min(number, n-1)]
		o.TensorSHA256 = receipt.TensorSha256[number*sha256.Size : (number+1)*sha256.Size]
	}
}

// Format returns the format of a shard's pictures: JPEG, PNG or NPY.
func Format(receipt *framepb.Receipt) string {
	if receipt.GetFormat() != "" {
		return receipt.GetFormat()
	}
	return receipt.GetSeries().GetFormat()
}

// Run is consecutive samples of a shard that ended alike.
type Run struct {
	First   int64 // index of the first on the series' grid
	Samples int64
	Kind    Kind
	Reason  string // of a gap or a drop
}

// Runs yields the samples of a part of a receipt in time order, as few runs. The receipt
// may be without what it says of each frame.
func Runs(receipt *framepb.Receipt, part frame.Span) iter.Seq[Run] {
	return func(yield func(Run) bool) {
		gaps, drops := receipt.Gaps, receipt.Drops
		end := receipt.First + int64(receipt.Samples)
		for next := receipt.First; next < end; {
			run := Run{First: next, Samples: end - next}
			if len(gaps) > 0 {
				run.Samples = min(run.Samples, receipt.First+int64(gaps[0].Offset)-next)
			}
			if len(drops) > 0 {
				run.Samples = min(run.Samples, receipt.First+int64(drops[0].Offset)-next)
			}
			switch {
			case run.Samples > 0:
			case len(gaps) > 0 && receipt.First+int64(gaps[0].Offset) == next:
				run.Samples, run.Kind, run.Reason = int64(gaps[0].Samples), Gap, gaps[0].Reason
				gaps = gaps[1:]
			default:
				run.Samples, run.Kind, run.Reason = int64(drops[0].Samples), Drop, drops[0].Reason
				drops = drops[1:]
			}
			next += run.Samples
			first, last := max(run.First, part.First), min(next, part.End())
			if run.First, run.Samples = first, last-first; run.Samples > 0 && !yield(run) {
				return
			}
		}
	}
}
