package kvsio

import (
	"slices"
	"sync"
)

// gate bounds what a process has in hand at once: slots for shards from their
// first call until what follows the source has taken them, and the bytes of
// those shards. All bundles of the process share it, first come, first served.
//
// A slot is held until then, not only while calls are under way: so a sink that
// is slow slows the calls, and a process that is killed has at most as many
// shards to fetch again as it has slots.
type gate struct {
	mu    sync.Mutex
	slots int
	bytes int64
	most  int64 // bytes in all
	queue []*ticket
}

func newGate(slots int, bytes int64) *gate {
	return &gate{slots: slots, bytes: bytes, most: bytes}
}

// ticket is a place in a gate's queue, and then a slot and a share of its bytes.
type ticket struct {
	gate     *gate
	admitted chan struct{} // closed when the ticket holds its slot and bytes
	bytes    int64
	inside   bool
}

// enter asks for a slot and for bytes. More bytes than there are stands for all.
func (g *gate) enter(bytes int64) *ticket {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := &ticket{gate: g, admitted: make(chan struct{}), bytes: min(bytes, g.most)}
	g.queue = append(g.queue, t)
	g.admit()
	return t
}

func (g *gate) admit() {
	for len(g.queue) > 0 {
		t := g.queue[0]
		if g.slots == 0 || g.bytes < t.bytes {
			return
		}
		g.slots--
		g.bytes -= t.bytes
		t.inside = true
		close(t.admitted)
		g.queue = g.queue[1:]
	}
}

// fetched makes the ticket's share what its shard really takes.
func (t *ticket) fetched(bytes int64) {
	t.gate.mu.Lock()
	defer t.gate.mu.Unlock()
	// A shard larger than thought overdraws: it is there already.
	t.gate.bytes += t.bytes - bytes
	t.bytes = bytes
	t.gate.admit()
}

// leave gives back all that the ticket holds, its place in the queue too.
// It may be called more than once.
func (t *ticket) leave() {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.inside {
		t.inside = false
		g.slots++
		g.bytes += t.bytes
	} else {
		g.queue = slices.DeleteFunc(g.queue, func(q *ticket) bool { return q == t })
	}
	g.admit()
}
