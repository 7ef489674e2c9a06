package kvsio

import "github.com/kvsframes/kvsframes/io/framepb"

// turns says whose shard comes next in a stretch of a work's order.
//
// Streams take turns, so that is the next of the order, as long as all keep
// pace. A stream that does not (its quota is small, its calls are slow) would
// hold up the others behind it: so its shards are passed over, and started when
// it can take them. They are claimed with those that are started before them,
// and a split leaves them here: it could not make them any faster, for a
// stream's quota is one quota wherever its calls come from.
type turns struct {
	order   *workShards
	claimed int64 // shards of the order before this one are claimed
	end     int64 // of the stretch
	waiting []turn
}

// turn is a stream that has shards in the stretch that are not started.
type turn struct {
	stream int   // of the order
	round  int64 // of its next shard
}

func newTurns(order *workShards, start, end int64) *turns {
	t := &turns{order: order, claimed: start, end: end}
	if start >= end {
		return t
	}
	first := order.round(start)
	passed := start - order.beforeRound(first) // streams whose shard of that round lies before the stretch
	for j := range order.streams {
		next := turn{stream: j, round: first}
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
func (t *turns) place(n turn) int64 {
	if n.round >= t.order.streams[n.stream].total {
		return t.end
	}
	return t.order.beforeRound(n.round) + int64(n.stream)
}

// choose returns the turn of the stream that has the fewest shards in hand, of
// those the first in the order. Streams for which held is not ok get none now.
func (t *turns) choose(held func(stream int) (n int, ok bool)) (next turn, ok bool) {
	var least int
	var first int64
	for _, w := range t.waiting {
		n, can := held(w.stream)
		if !can || ok && n > least {
			continue
		}
		if place := t.place(w); !ok || n < least || place < first {
			next, least, first, ok = w, n, place, true
		}
	}
	return next, ok
}

// start takes a turn: it claims what is not claimed up to its shard, and
// returns it. Where a claim fails the stretch ends there, and there is no turn.
func (t *turns) start(n turn, claim func(int64) bool) (framepb.Span, bool) {
	for place := t.place(n); t.claimed <= place; t.claimed++ {
		if !claim(t.claimed) {
			t.cut()
			return framepb.Span{}, false
		}
	}
	span := t.order.shard(n.stream, n.round)
	for i := range t.waiting {
		if t.waiting[i].stream == n.stream {
			t.waiting[i].round++
		}
	}
	t.drop()
	return span, true
}

// cut ends the stretch before the first shard that is not claimed.
func (t *turns) cut() {
	t.end = t.claimed
	t.drop()
}

// drop forgets the streams that have nothing left.
func (t *turns) drop() {
	left := t.waiting[:0]
	for _, w := range t.waiting {
		if t.place(w) < t.end {
			left = append(left, w)
		}
	}
	t.waiting = left
}

// over says that all of the stretch is started.
func (t *turns) over() bool { return len(t.waiting) == 0 }
