package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// Part is samples that count by one receipt: those of Span, all or some of the
// receipt's.
type Part struct {
	Receipt *framepb.Receipt
	Entry   Entry // of the receipt
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
			if !readParts(ctx, l, series, nil, do, yield) {
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
		readParts(ctx, l, span.Series, []frame.Span{span}, do, yield)
	}
}

// readParts yields the parts of a series that have samples of a region, or all where it is
// nil, and reports whether to go on.
func readParts[T any](ctx context.Context, l *Ledger, series frame.Series, region []frame.Span,
	do func(Part) (T, error), yield func(T, error) bool,
) bool {
	p := &partReader[T]{ledger: l, series: series, do: do, yield: yield}
	if err := p.list(ctx, region); err != nil {
		var none T
		yield(none, err)
		return false
	}
	if region == nil {
		spans := make([]frame.Span, len(p.entries))
		for i, entry := range p.entries {
			spans[i] = entry.Span
		}
		region = frame.Union(spans)
	}
	return p.read(ctx, region)
}

// partReader reads the parts of one series.
type partReader[T any] struct {
	ledger  *Ledger
	series  frame.Series
	do      func(Part) (T, error)
	yield   func(T, error) bool
	entries []Entry // but for those that proved damaged
	bad     []Entry // those
	lists   int
}

func (p *partReader[T]) list(ctx context.Context, region []frame.Span) error {
	if p.lists++; p.lists > attempts {
		return fmt.Errorf("reading the receipts of %s: they change too often", p.series.StreamName)
	}
	shards, _, err := p.ledger.Shards(ctx, p.series, region)
	p.entries = p.entries[:0]
	for _, shard := range shards {
		if !slices.Contains(p.bad, shard.Entry) {
			p.entries = append(p.entries, shard.Entry)
		}
	}
	return err
}

// read yields the outcomes of the samples of a region, and whether to go on. Where a
// receipt proves damaged, what it claimed may be in another one; where its file is gone, in
// the one that took its place.
func (p *partReader[T]) read(ctx context.Context, region []frame.Span) bool {
	all := pieces(Claims(p.entries, region))
	entries := make([]Entry, len(all))
	for i, piece := range all {
		entries[i] = piece.entry
	}
	files := byFile(all, func(piece piece) Entry { return piece.entry })
	i := 0
	for got := range ahead(len(files), depth(entries), func(i int) []result[T] { return p.parts(ctx, files[i]) }) {
		pieces := files[i]
		i++
		for i, got := range got {
			if !p.deliver(ctx, pieces[i], got) {
				return false
			}
		}
	}
	return true
}

// deliver yields what became of a piece, and whether to go on.
func (p *partReader[T]) deliver(ctx context.Context, piece piece, got result[T]) bool {
	gone := errors.Is(got.err, fs.ErrNotExist)
	if !gone && !isDamaged(got.err) {
		return p.yield(got.value, got.err) && got.err == nil
	}
	region := []frame.Span{piece.span}
	if !gone {
		p.bad = append(p.bad, piece.entry)
	}
	others := &partReader[T]{ledger: p.ledger, series: p.series, do: p.do, yield: p.yield, bad: p.bad, lists: p.lists}
	if err := others.list(ctx, region); err != nil {
		var none T
		p.yield(none, err)
		return false
	}
	ok := others.read(ctx, region)
	p.bad = others.bad
	return ok
}

type result[T any] struct {
	value T
	err   error
}

// parts makes the parts of pieces that lie in one file.
func (p *partReader[T]) parts(ctx context.Context, pieces []piece) []result[T] {
	entries, results := make([]Entry, len(pieces)), make([]result[T], len(pieces))
	for i, piece := range pieces {
		entries[i] = piece.entry
	}
	read := p.ledger.readFile(ctx, entries)
	for i, piece := range pieces {
		if results[i].err = read.err; read.err == nil {
			results[i].value, results[i].err = p.do(Part{read.receipts[i], piece.entry, piece.span})
		}
	}
	return results
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

// ahead calls do for 0 to n-1, up to depth at once, and yields what it returns in that
// order. It returns when no call is under way any more.
func ahead[T any](n, depth int, do func(i int) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		var queue []chan T
		next := 0
		for range n {
			for ; next < n && len(queue) < depth; next++ {
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
