package dataset

import (
	"context"
	"errors"
	"io/fs"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/store"
)

// Into a folder a shard is written in two parts: one that keeps the processor busy, and one
// that waits for the disk. [Write] does the second while the first of the next shard is done.

// begin does the first part. record does the second; where it is not nil it must be called,
// once. Until it has returned, the shard does not count as written. The receipt is that which
// record returns, unless another process completes the shard meanwhile.
func (w *Writer) begin(ctx context.Context, shard frame.Shard) (receipt *framepb.Receipt,
	record func() (*framepb.Receipt, error), err error,
) {
	if err := w.check(shard); err != nil {
		return nil, nil, err
	}
	if len(shard.Again) > 0 {
		whole, known, err := w.complete(ctx, shard)
		if err != nil {
			return nil, nil, writing(shard.Span, err)
		}
		if known != nil {
			return known, nil, w.of.ledger.Flush(shard.Span.Series)
		}
		shard = whole
	}
	if bucket, ok := w.of.store.(store.Bucket); ok {
		if receipt, err = w.upload(ctx, bucket, shard); err != nil {
			return nil, nil, writing(shard.Span, err)
		}
		return receipt, nil, nil
	}
	var out *output
	prepare := func() (err error) {
		out, err = w.prepare(ctx, shard)
		return err
	}
	if err := undisturbed(ctx, prepare); err != nil {
		return nil, nil, writing(shard.Span, err)
	}
	if out.kept != nil {
		return out.kept, nil, nil
	}
	return out.receipt, func() (receipt *framepb.Receipt, err error) {
		ready := true
		err = undisturbed(ctx, func() (err error) {
			if !ready {
				if err := prepare(); err != nil {
					return err
				}
			}
			ready = false
			receipt, err = w.record(ctx, out)
			return err
		})
		if ready {
			out.discard()
		}
		if err != nil {
			return nil, writing(shard.Span, err)
		}
		return receipt, nil
	}, nil
}

// undisturbed does something until no other process takes away what it is doing.
func undisturbed(ctx context.Context, do func() error) (err error) {
	for range tries {
		if err = ctx.Err(); err != nil {
			break
		}
		if err = do(); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return err
}

// prepare writes a shard in tmp, unless what is there stays.
func (w *Writer) prepare(ctx context.Context, shard frame.Shard) (*output, error) {
	if err := w.checkParents(shard.Span); err != nil {
		return nil, err
	}
	out := &output{writer: w, span: shard.Span}
	err := w.fill(shard, out)
	if err == nil {
		_, err = w.ask(ctx, out)
	}
	if err != nil || out.kept != nil {
		out.discard()
	}
	return out, err
}

// ask returns the complete receipt that there is of a shard, and finds out whether what is
// there stays. Then its receipt is flushed: who wrote it may have been killed before.
func (w *Writer) ask(ctx context.Context, out *output) (have *framepb.Receipt, err error) {
	if have, err = w.of.ledger.Ask(ctx, out.span); err != nil {
		return nil, err
	}
	if out.kept, err = w.keeps(ctx, have, out.receipt); err == nil && out.kept == nil && w.stands(ctx, have, out.receipt) {
		out.kept = have
	}
	if err == nil && out.kept != nil {
		err = w.of.ledger.Flush(out.span.Series)
	}
	return have, err
}

// record flushes a shard, brings it to its path and records it.
func (w *Writer) record(ctx context.Context, out *output) (*framepb.Receipt, error) {
	defer out.discard()
	if out.kept != nil {
		return out.kept, nil
	}
	if err := out.flush(); err != nil {
		return nil, err
	}
	have, err := w.ask(ctx, out)
	if err != nil || out.kept != nil {
		return out.kept, err
	}
	if !proto.Equal(have, out.receipt) {
		if have != nil {
			if err := w.checkOwn(out.span); err != nil {
				return nil, err
			}
		}
		if err := w.of.ledger.Remove(ctx, out.span); err != nil {
			return nil, err
		}
	}
	if err := w.place(ctx, out.receipt, out); err != nil {
		return nil, err
	}
	if err := w.reach("record"); err != nil {
		return nil, err
	}
	return out.receipt, w.of.ledger.Put(ctx, out.receipt)
}

// flush brings to the disk what is in tmp.
func (o *output) flush() error {
	if o.path == "" {
		return nil
	}
	if err := o.writer.reach("flush"); err != nil {
		return err
	}
	return disk.FlushTree(o.path)
}
