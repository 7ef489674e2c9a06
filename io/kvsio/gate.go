package kvsio

import (
	"context"
	"slices"
	"sync"
)

// gate bounds what a process has in hand at once: slots for shards from their
// first call until what follows the source has taken them, and the memory that
// those shards take. All bundles of the process share it, first come, first
// served.
//
// A slot is held until then, not only while calls are under way: so a sink that
// is slow slows the calls, and a process that is killed has at most as many
// shards to fetch again as it has slots.
type gate struct {
	mu      sync.Mutex
	slots   int
	bytes   int64     // that are left; less than none where a shard was larger than all of them
	most    int64     // bytes in all
	inside  []*ticket // that hold slots, the oldest first
	growing []*ticket // of those, the ones that wait for more bytes
	queue   []*ticket // for slots
}

func newGate(slots int, bytes int64) *gate {
	return &gate{slots: slots, bytes: bytes, most: bytes}
}

// ticket is a place in a gate's queue, and then a slot and a share of its bytes.
type ticket struct {
	gate     *gate
	admitted chan struct{} // closed when the ticket holds its slot and bytes
	bytes    int64
	more     int64         // that it waits for
	grown    chan struct{} // closed when it has them
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

// admit serves those who wait: first the shards that are under way, for only
// they can give anything back.
func (g *gate) admit() {
	g.growing = slices.DeleteFunc(g.growing, func(t *ticket) bool {
		// The oldest gets what it needs even where that is not there. Someone has
		// to go on, or all would wait for each other.
		if t.more > g.bytes && t != g.inside[0] {
			return false
		}
		g.bytes -= t.more
		t.bytes += t.more
		close(t.grown)
		return true
	})
	for len(g.queue) > 0 && len(g.growing) == 0 {
		t := g.queue[0]
		if g.slots == 0 || g.bytes < t.bytes {
			return
		}
		g.slots--
		g.bytes -= t.bytes
		g.inside = append(g.inside, t)
		g.queue = g.queue[1:]
		close(t.admitted)
	}
}

// need waits until an admitted ticket holds at least so many bytes: its shard
// turns out larger than was thought.
func (t *ticket) need(ctx context.Context, bytes int64) error {
	g := t.gate
	g.mu.Lock()
	if bytes <= t.bytes {
		g.mu.Unlock()
		return nil
	}
	t.more, t.grown = bytes-t.bytes, make(chan struct{})
	g.growing = append(g.growing, t)
	g.admit()
	g.mu.Unlock()
	select {
	case <-t.grown:
		return nil
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		g.growing = slices.DeleteFunc(g.growing, func(o *ticket) bool { return o == t })
		g.admit()
		return ctx.Err()
	}
}

// fetched makes the ticket's share what its shard really takes.
func (t *ticket) fetched(bytes int64) {
	t.gate.mu.Lock()
	defer t.gate.mu.Unlock()
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
	is := func(o *ticket) bool { return o == t }
	if i := slices.IndexFunc(g.inside, is); i >= 0 {
		g.inside = slices.Delete(g.inside, i, i+1)
		g.slots++
		g.bytes += t.bytes
	} else {
		g.queue = slices.DeleteFunc(g.queue, is)
	}
	g.admit()
}
