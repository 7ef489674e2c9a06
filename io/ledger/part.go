package ledger

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// aheadOf is how many receipts Parts reads before they are asked for.
const aheadOf = 2 * readers

// Part is samples that count by one receipt: those of Span, all or some of the
// receipt's.
type Part struct {
	Receipt *framepb.Receipt
	Span    frame.Span
}

// Outcomes yields what became of each sample of the part, in time order.
func (p Part) Outcomes() iter.Seq[Outcome] {
	return func(yield func(Outcome) bool) {
		for outcome := range Outcomes(p.Receipt) {
			if outcome.Index < p.Span.First || outcome.Index >= p.Span.End() {
				continue
			}
			if !yield(outcome) {
				return
			}
		}
	}
}

// Parts yields what do makes of every sample that is in a receipt, each sample
// once, by the receipt that it counts by in [Ledger.Tally]: series by series in
// the order of [Ledger.Series], each in time order. Many calls of do run at once.
//
// A damaged receipt counts as not there, and so does one that do returns a
// *DamagedError for; any other error is the last that is yielded.
func Parts[T any](ctx context.Context, l *Ledger, do func(Part) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		var none T
		all, err := l.Series(ctx)
		if err != nil {
			yield(none, err)
			return
		}
		for _, series := range all {
			entries, err := l.entries(ctx, series)
			if err != nil {
				yield(none, err)
				return
			}
			spans := make([]frame.Span, len(entries))
			for i, entry := range entries {
				spans[i] = entry.Span
			}
			p := &partReader[T]{l, do, entries, yield}
			if !p.read(ctx, frame.Union(spans)) {
				return
			}
		}
	}
}

// PartsOf is [Parts] of the samples of a span alone.
func PartsOf[T any](ctx context.Context, l *Ledger, span frame.Span, do func(Part) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		entries, err := l.entries(ctx, span.Series)
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		p := &partReader[T]{l, do, entries, yield}
		p.read(ctx, []frame.Span{span})
	}
}

// partReader reads the parts of one series.
type partReader[T any] struct {
	ledger  *Ledger
	do      func(Part) (T, error)
	entries []Entry // but for those that proved damaged
	yield   func(T, error) bool
}

// read yields the outcomes of the samples of a region, and whether to go on. Where a
// receipt proves damaged, what it claimed may be in another one.
func (p *partReader[T]) read(ctx context.Context, region []frame.Span) bool {
	pieces := pieces(Claims(p.entries, region))
	i := 0
	for got := range ahead(len(pieces), func(i int) result[T] { return p.part(ctx, pieces[i]) }) {
		piece := pieces[i]
		i++
		var broken *DamagedError
		if errors.As(got.err, &broken) || errors.Is(got.err, fs.ErrNotExist) {
			p.entries = slices.DeleteFunc(p.entries, func(e Entry) bool { return e == piece.entry })
			if !p.read(ctx, []frame.Span{piece.span}) {
				return false
			}
			continue
		}
		if !p.yield(got.value, got.err) || got.err != nil {
			return false
		}
	}
	return true
}

type result[T any] struct {
	value T
	err   error
}

func (p *partReader[T]) part(ctx context.Context, piece piece) (got result[T]) {
	receipt, err := p.ledger.Read(ctx, piece.entry)
	if err != nil {
		got.err = err
		return got
	}
	got.value, got.err = p.do(Part{receipt, piece.span})
	return got
}

// piece is consecutive samples that one receipt has claimed.
type piece struct {
	entry Entry
	span  frame.Span
}

// pieces puts what is claimed in time order.
func pieces(claims []Claim) []piece {
	var all []piece
	for _, c := range claims {
		for _, span := range c.Spans {
			all = append(all, piece{c.Entry, span})
		}
	}
	slices.SortFunc(all, func(a, b piece) int { return cmp.Compare(a.span.First, b.span.First) })
	return all
}

// ahead calls do for 0 to n-1, some at once, and yields what it returns in that
// order. It returns when no call is under way any more.
func ahead[T any](n int, do func(i int) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		var queue []chan T
		next := 0
		for range n {
			for ; next < n && len(queue) < aheadOf; next++ {
				answer, i := make(chan T, 1), next
				go func() { answer <- do(i) }()
				queue = append(queue, answer)
			}
			value := <-queue[0]
			queue = queue[1:]
			if !yield(value) {
				break
			}
		}
		for _, answer := range queue {
			<-answer
		}
	}
}
