package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// A second look (frame.Shard.Again) has some samples of a shard that the dataset has. The
// shard is made of these and of what is there: its pictures are read back, and held against
// their receipt. Pictures that prove damaged cost no other ones: their samples become FAILED
// gaps, which the next backfill asks for.

// GoneError says that a shard's receipt went while its samples were asked for again: another
// writer is writing the shard, or has taken it away. Nothing was written. The next backfill
// fetches what is missing then.
type GoneError struct {
	Span frame.Span // the shard
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("%v was taken away, or is being written by another writer, while it was looked at again: "+
		"what is missing then the next backfill fetches", e.Span)
}

// complete returns the whole shard of a second look, or the receipt of what is there where
// no picture is new: such a look writes a receipt at most.
func (w *Writer) complete(ctx context.Context, look frame.Shard) (frame.Shard, *framepb.Receipt, error) {
	if w.of.folder != "" {
		if err := w.checkParents(look.Span); err != nil {
			return frame.Shard{}, nil, err
		}
	}
	for range tries {
		have, err := w.receiptOfEither(ctx, look.Span)
		if err != nil {
			return frame.Shard{}, nil, err
		}
		if have == nil {
			break
		}
		m, err := merge(have, look)
		if err != nil {
			return frame.Shard{}, nil, err
		}
		if m.news == 0 && w.isOurs(have) {
			receipt, err := w.amend(ctx, have, m.shard)
			return frame.Shard{}, receipt, err
		}
		damaged, err := w.readBack(ctx, have, m)
		if err != nil {
			return frame.Shard{}, nil, err
		}
		// Another writer may have come meanwhile. Before it touches pictures the receipt goes.
		switch now, err := w.receiptOfEither(ctx, look.Span); {
		case err != nil:
			return frame.Shard{}, nil, err
		case !proto.Equal(now, have):
			continue
		case len(damaged) == 0:
			return m.shard, nil, nil
		}
		m.lose(damaged)
		return m.shard, nil, w.disown(ctx, look.Span)
	}
	return frame.Shard{}, nil, &GoneError{look.Span}
}

// receiptOfEither returns the receipt that there is of a shard, complete or failed.
func (w *Writer) receiptOfEither(ctx context.Context, span frame.Span) (*framepb.Receipt, error) {
	receipt, err := w.of.ledger.Ask(ctx, span)
	if err != nil || receipt != nil {
		return receipt, err
	}
	return w.of.ledger.AskFailed(ctx, span)
}

// amend records a shard whose frames are those that are there. Where it is the same, nothing
// is touched.
func (w *Writer) amend(ctx context.Context, have *framepb.Receipt, shard frame.Shard) (*framepb.Receipt, error) {
	receipt, err := ledger.Amend(have, shard)
	if err != nil || proto.Equal(receipt, have) {
		return have, err
	}
	if err := w.reach("record"); err != nil {
		return nil, err
	}
	return receipt, w.of.ledger.Put(ctx, receipt)
}

// isOurs reports whether a receipt is one of the dataset's.
func (w *Writer) isOurs(receipt *framepb.Receipt) bool {
	return checkPath(w.of.format, receipt) == nil && checkTransforms(w.of.desc, receipt) == nil
}

// disown removes the receipts of a shard whose pictures are not what they say.
func (w *Writer) disown(ctx context.Context, span frame.Span) error {
	if err := w.checkOwn(span); err != nil {
		return err
	}
	return w.of.ledger.Remove(ctx, span)
}

// errDamaged says that pictures are not those of their receipt.
var errDamaged = errors.New("some pictures are not as they were written")

// readBack fills in the pictures of the frames that stay, and returns which cannot be: by
// their number in the receipt.
func (w *Writer) readBack(ctx context.Context, have *framepb.Receipt, m *merged) (damaged map[int]bool, err error) {
	if len(m.stays) == 0 {
		return nil, nil
	}
	ours := w.isOurs(have)
	there := &stored{ctx: ctx, store: w.of.store, path: w.of.format.Path(m.shard.Span)}
	err = store.Twice(there.store, func() error {
		damaged = make(map[int]bool)
		for blob, err := range there.blobs(w.of.format, have) {
			if err != nil && (!store.IsDamage(ctx, err) || isUnreadable(err)) {
				return err
			}
			at, stays := m.stays[blob.Frame]
			switch {
			case !stays:
			case err != nil || !ours:
				damaged[blob.Frame] = true
			default:
				*container.DataOf(&m.shard.Frames[at], blob.Tensor) = slices.Clone(blob.Data)
			}
		}
		if len(damaged) > 0 {
			return errDamaged
		}
		return nil
	}, func(err error) bool { return err == errDamaged })
	if err == errDamaged {
		err = nil
	}
	return damaged, err
}

// merged is the shard of a receipt and a second look. The pictures of the receipt's frames
// are still to be read.
type merged struct {
	shard frame.Shard
	stays map[int]int // of the receipt's frames, by their number: where they are in the shard
	news  int         // frames that are the look's
}

// merge makes a whole shard of a receipt and a second look. A sample that failed again stays
// what it is, and so does a frame that another look found meanwhile. The error is that of
// [ledger.NewReceipt].
func merge(have *framepb.Receipt, look frame.Shard) (*merged, error) {
	m := &merged{shard: look, stays: make(map[int]int)}
	m.shard.Again, m.shard.Frames, m.shard.Gaps, m.shard.Drops = nil, nil, nil, nil
	rest, members := look, container.MembersOf(have)
	for outcome := range ledger.Outcomes(have) {
		at := look.Span.Series.At(outcome.Index)
		for len(rest.Again) > 0 && rest.Again[0].End() <= outcome.Index {
			rest.Again = rest.Again[1:]
		}
		if len(rest.Again) == 0 || outcome.Index < rest.Again[0].First || !m.take(&rest, at, outcome.Kind == ledger.Gap) {
			m.keep(outcome, at, members)
		}
	}
	asked, n := frame.Count(look.Again), len(look.Frames)+len(look.Gaps)+len(look.Drops)
	if left := len(rest.Frames) + len(rest.Gaps) + len(rest.Drops); left > 0 || int64(n) != asked {
		return nil, &ledger.ShardError{Span: look.Span, Problem: fmt.Sprintf("it is a second look at %d samples, and has "+
			"%d frames, %d gaps and %d drops: each of those samples must be exactly one of the three, in time order",
			asked, len(look.Frames), len(look.Gaps), len(look.Drops))}
	}
	return m, nil
}

// take takes a sample off the head of the one list of a look that has it, and reports
// whether it is the shard's: else what is there stays.
func (m *merged) take(look *frame.Shard, at int64, overGap bool) bool {
	switch {
	case len(look.Frames) > 0 && look.Frames[0].SampleMs == at:
		m.shard.Frames, look.Frames = append(m.shard.Frames, look.Frames[0]), look.Frames[1:]
		m.news++
		return true
	case len(look.Gaps) > 0 && look.Gaps[0].SampleMs == at:
		gap := look.Gaps[0]
		look.Gaps = look.Gaps[1:]
		if overGap = overGap && gap.Reason != frame.Failed; overGap {
			m.shard.Gaps = append(m.shard.Gaps, gap)
		}
		return overGap
	case len(look.Drops) > 0 && look.Drops[0].SampleMs == at:
		if overGap {
			m.shard.Drops = append(m.shard.Drops, look.Drops[0])
		}
		look.Drops = look.Drops[1:]
		return overGap
	}
	return false
}

// keep adds what is there of a sample.
func (m *merged) keep(outcome ledger.Outcome, at int64, members []container.Member) {
	switch outcome.Kind {
	case ledger.Gap:
		m.shard.Gaps = append(m.shard.Gaps, frame.Gap{SampleMs: at, Reason: outcome.Reason, Cause: outcome.Cause})
	case ledger.Drop:
		m.shard.Drops = append(m.shard.Drops, frame.Drop{SampleMs: at, Reason: outcome.Reason})
	default:
		m.stays[outcome.Number] = len(m.shard.Frames)
		m.shard.Frames = append(m.shard.Frames, members[outcome.Number].Frame)
	}
}

// lose makes FAILED gaps of frames whose pictures are damaged.
func (m *merged) lose(damaged map[int]bool) {
	var frames []frame.Frame
	lost := make(map[int]bool)
	for number := range damaged {
		lost[m.stays[number]] = true
	}
	for i, f := range m.shard.Frames {
		if !lost[i] {
			frames = append(frames, f)
			continue
		}
		m.shard.Gaps = append(m.shard.Gaps, frame.Gap{
			SampleMs: f.SampleMs, Reason: frame.Failed, Cause: "its picture in the dataset was damaged",
		})
	}
	m.shard.Frames = frames
	slices.SortFunc(m.shard.Gaps, func(a, b frame.Gap) int { return cmp.Compare(a.SampleMs, b.SampleMs) })
}

// keeps returns the receipt that stays instead of one with FAILED gaps, nil where none does:
// a complete one, or one with no more of them and no fewer frames.
func (w *Writer) keeps(ctx context.Context, have, receipt *framepb.Receipt) (*framepb.Receipt, error) {
	if !ledger.Failed(receipt) {
		return nil, nil
	}
	if have != nil {
		return have, nil
	}
	have, err := w.of.ledger.AskFailed(ctx, receipt.Span())
	if err != nil || have == nil {
		return nil, err
	}
	worse := cmp.Or(cmp.Compare(failedSamples(have), failedSamples(receipt)), cmp.Compare(receipt.Frames, have.Frames))
	if worse > 0 || !w.holds(ctx, have) {
		return nil, nil
	}
	return have, nil
}

func failedSamples(receipt *framepb.Receipt) int64 {
	return frame.Count(ledger.Gaps(receipt, frame.Failed))
}

// stands reports whether a shard is there as its receipt says, and so need not be written.
func (w *Writer) stands(ctx context.Context, have, receipt *framepb.Receipt) bool {
	return proto.Equal(have, receipt) && w.holds(ctx, have)
}

// holds reports whether the pictures of a receipt are there, and nothing else.
func (w *Writer) holds(ctx context.Context, receipt *framepb.Receipt) bool {
	there := &stored{ctx: ctx, store: w.of.store, path: w.of.format.Path(receipt.Span())}
	return there.holds(w.of.format, receipt)
}
