package grid

import (
	"cmp"

	"github.com/kvsframes/kvsframes/io/frame"
)

// Turns says whose shard comes next in a stretch of a work's order.
//
// Streams take turns, so that is the next of the order, as long as all keep
// pace. A stream that does not (its quota is small, its calls are slow) would
// hold up the others behind it: so its shards are passed over, and started when
// it can take them. They are claimed with those that are started before them,
// and a split leaves them here: it could not make them any faster, for a
// stream's quota is one quota wherever its calls come from.
type Turns struct {
	Order   *Order
	Claimed int64 // shards of the order before this one are claimed
	End     int64 // of the stretch: it moves where a claim fails
	waiting []Turn
}

// Turn is a stream that has shards in the stretch that are not started.
type Turn struct {
	Stream int   // of the order's streams
	round  int64 // of its next shard
}

// NewTurns returns the turns of an order's shards from start to end.
func NewTurns(order *Order, start, end int64) *Turns {
	t := &Turns{Order: order, Claimed: start, End: end}
	if start >= end {
		return t
	}
	first := order.round(start)
	passed := start - order.beforeRound(first) // streams whose shard of that round lies before the stretch
	for j := range order.streams {
		next := Turn{Stream: j, round: first}
		if int64(j) < passed {
			next.round++
		}
		if t.place(next) < end {
			t.waiting = append(t.waiting, next)
		}
	}
	return t
}

// place returns where in the order the shard of a turn stands; past the end
// where its stream has none left.
func (t *Turns) place(n Turn) int64 {
	if n.round >= t.Order.streams[n.Stream].total {
		return t.End
	}
	return t.Order.beforeRound(n.round) + int64(n.Stream)
}

// Choose returns the turn of the stream that has the fewest shards in hand, of those one that
// is furthest behind, and of those the first in the plan's order. Streams for which held is not
// ok get none now.
func (t *Turns) Choose(held func(stream int) (n int, ok bool)) (next Turn, ok bool) {
	least := 0
	for _, w := range t.waiting {
		n, can := held(w.Stream)
		if !can {
			continue
		}
		rank := func(turn Turn) int { return t.Order.streams[turn.Stream].rank }
		if !ok || cmp.Or(cmp.Compare(n, least), cmp.Compare(w.round, next.round), cmp.Compare(rank(w), rank(next))) < 0 {
			next, least, ok = w, n, true
		}
	}
	return next, ok
}

// Start takes a turn: it claims what is not claimed up to its shard, and
// returns it. Where a claim fails the stretch ends there, and there is no turn.
func (t *Turns) Start(n Turn, claim func(int64) bool) (frame.Span, bool) {
	for place := t.place(n); t.Claimed <= place; t.Claimed++ {
		if !claim(t.Claimed) {
			t.cut()
			return frame.Span{}, false
		}
	}
	span := t.Order.shard(n.Stream, n.round)
	for i := range t.waiting {
		if t.waiting[i].Stream == n.Stream {
			t.waiting[i].round++
		}
	}
	t.drop()
	return span, true
}

// cut ends the stretch before the first shard that is not claimed.
func (t *Turns) cut() {
	t.End = t.Claimed
	t.drop()
}

// drop forgets the streams that have nothing left.
func (t *Turns) drop() {
	left := t.waiting[:0]
	for _, w := range t.waiting {
		if t.place(w) < t.End {
			left = append(left, w)
		}
	}
	t.waiting = left
}

// Over reports whether all of the stretch is started.
func (t *Turns) Over() bool { return len(t.waiting) == 0 }
