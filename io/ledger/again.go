package ledger

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// What a second look at a shard needs: it asks for the samples that may have an image by
// now, and leaves the others as they are.

// AskFailed returns the failed receipt of exactly the shard span, as Ask returns the
// complete one.
func (l *Ledger) AskFailed(ctx context.Context, span frame.Span) (*framepb.Receipt, error) {
	return l.ask(ctx, span, true)
}

// Gaps returns the samples of a receipt that are gaps for one of some reasons, as
// [frame.Union] returns them.
func Gaps(receipt *framepb.Receipt, reasons ...string) []frame.Span {
	span := receipt.Span()
	var gaps []frame.Span
	for _, run := range receipt.Gaps {
		if first := span.First + int64(run.Offset); slices.Contains(reasons, run.Reason) {
			gaps = append(gaps, span.Slice(first, first+int64(run.Samples)))
		}
	}
	return frame.Union(gaps)
}

// Amend returns a receipt of the same frames with the gaps and drops of a shard, whose
// frames need no data. The error is that of [NewReceipt].
func Amend(receipt *framepb.Receipt, shard frame.Shard) (*framepb.Receipt, error) {
	amended := proto.CloneOf(receipt)
	amended.Gaps, amended.Drops = nil, nil
	return amended, fillRuns(amended, shard)
}

// eachByItself are the steps of package transforms that do to a frame what does not depend
// on other frames.
var eachByItself = []string{"decode", "resize", "tensor", "map", "filter"}

// LooksAround reports whether what is done to a frame of a dataset may depend on the frames
// around it, by the transforms of its description. Frames that were dropped are not in the
// dataset, so a shard of it can be made from all of its images only. A transform that is
// not known may look around.
func LooksAround(transforms []string) bool {
	return slices.ContainsFunc(transforms, func(description string) bool {
		name, _, _ := strings.Cut(description, " ")
		return !slices.Contains(eachByItself, name)
	})
}
