package pipeline

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// Late is footage that got into the archive after its samples had become NO_MEDIA gaps, and that a
// later look found: consecutive samples, all frames now.
type Late struct {
	Stream string  `json:"stream"`
	From   Instant `json:"from"`
	To     Instant `json:"to"` // of the first sample after it
	Frames int64   `json:"frames"`
}

// lateFootage returns what became frames of the gaps that a plan looked at again.
func lateFootage(ctx context.Context, book *ledger.Ledger, plan *kvsio.Plan) ([]Late, error) {
	late := []Late{}
	for series, spans := range frame.BySeries(plan.Late) {
		found, err := framesIn(ctx, book, frame.Union(spans))
		if err != nil {
			return nil, err
		}
		for _, span := range found {
			late = append(late, Late{
				series.StreamName,
				Instant{time.UnixMilli(series.At(span.First))},
				Instant{time.UnixMilli(series.At(span.End()))},
				span.Samples,
			})
		}
	}
	slices.SortFunc(late, func(a, b Late) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), a.From.Compare(b.From.Time), a.To.Compare(b.To.Time))
	})
	return late, nil
}

// framesIn returns which samples of some spans of a series are frames.
func framesIn(ctx context.Context, book *ledger.Ledger, spans []frame.Span) (frames []frame.Span, err error) {
	shards, _, err := book.Shards(ctx, spans[0].Series, spans)
	if err != nil {
		return nil, err
	}
	for _, shard := range shards {
		receipt := shard.Table
		if receipt == nil {
			receipt, err = book.Read(ctx, shard.Entry)
			if damaged := (*ledger.DamagedError)(nil); errors.As(err, &damaged) || errors.Is(err, fs.ErrNotExist) {
				continue // another process has sealed it just now, or the counts say that it is missing
			}
			if err != nil {
				return nil, err
			}
		}
		others := ledger.Gaps(receipt, frame.GapReasons...)
		for _, drop := range receipt.Drops {
			first := shard.Span.First + int64(drop.Offset)
			others = append(others, shard.Span.Slice(first, first+int64(drop.Samples)))
		}
		mine := frame.Common([]frame.Span{shard.Span}, spans)
		frames = append(frames, frame.Minus(mine, frame.Union(others))...)
	}
	return frame.Union(frames), nil
}
