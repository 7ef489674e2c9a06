package dataset

import (
	"context"
	"fmt"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// keep writes some spans of a shard as shards of their own. The shard stays.
func (w *Writer) keep(ctx context.Context, receipt *framepb.Receipt, spans []frame.Span) error {
	shard, err := w.of.readShard(ctx, receipt)
	if err != nil {
		return err
	}
	for _, span := range spans {
		if _, err := w.Write(ctx, cut(shard, span)); err != nil {
			return err
		}
	}
	return nil
}

// readShard returns a shard as it was written.
func (d *Dataset) readShard(ctx context.Context, receipt *framepb.Receipt) (frame.Shard, error) {
	shard := frame.Shard{Span: receipt.Span(), Transforms: receipt.Transforms}
	series := shard.Span.Series
	for outcome := range ledger.Outcomes(receipt) {
		switch at := series.At(outcome.Index); outcome.Kind {
		case ledger.Gap:
			shard.Gaps = append(shard.Gaps, frame.Gap{SampleMs: at, Reason: outcome.Reason, Cause: outcome.Cause})
		case ledger.Drop:
			shard.Drops = append(shard.Drops, frame.Drop{SampleMs: at, Reason: outcome.Reason})
		}
	}
	for _, m := range container.MembersOf(receipt) {
		shard.Frames = append(shard.Frames, m.Frame)
	}
	there := &stored{ctx: ctx, store: d.store, path: d.format.Path(shard.Span)}
	err := store.Twice(there.store, func() error {
		for blob, err := range there.blobs(d.format, receipt) {
			if err != nil {
				return fmt.Errorf("%s is not as it was written: %w", there.path, err)
			}
			*container.DataOf(&shard.Frames[blob.Frame], blob.Tensor) = slices.Clone(blob.Data)
		}
		return nil
	}, func(err error) bool { return store.IsDamage(ctx, err) })
	return shard, err
}

// cut returns the shard of some of another one's samples.
func cut(shard frame.Shard, span frame.Span) frame.Shard {
	from, end := span.Series.At(span.First), span.Series.At(span.End())
	outside := func(ms int64) bool { return ms < from || ms >= end }
	return frame.Shard{
		Span: span, Transforms: shard.Transforms,
		Frames: slices.DeleteFunc(slices.Clone(shard.Frames), func(f frame.Frame) bool { return outside(f.SampleMs) }),
		Gaps:   slices.DeleteFunc(slices.Clone(shard.Gaps), func(g frame.Gap) bool { return outside(g.SampleMs) }),
		Drops:  slices.DeleteFunc(slices.Clone(shard.Drops), func(d frame.Drop) bool { return outside(d.SampleMs) }),
	}
}
