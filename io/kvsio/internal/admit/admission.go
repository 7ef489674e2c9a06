// Package admit bounds what a process has in hand at once: how many shards, and how
// much memory they take.
//
// A [Controller] admits shards. A shard enters before its first call, and leaves when
// whatever follows the source has taken it, not when its calls are over: so a sink that
// is slow slows the calls, and a process that is killed has at most as many shards to
// fetch again as there are slots. All that a process reads shares one controller.
//
// A shard may wait for memory in the middle of a call, and a [TimeLimit] is how that
// wait does not count as the call's time.
package admit

import (
	"context"
	"slices"
	"sync"
)

// Controller has slots and memory to give, first come, first served.
type Controller struct {
	mu      sync.Mutex
	slots   int
	bytes   int64     // that are left; less than none where a shard was larger than all of them
	most    int64     // bytes in all
	inside  []*Ticket // that hold slots, the oldest first
	growing []*Ticket // of those, the ones that wait for more bytes
	queue   []*Ticket // for slots
}

// New makes a controller that gives out slots and bytes.
func New(slots int, bytes int64) *Controller {
	return &Controller{slots: slots, bytes: bytes, most: bytes}
}

// Ticket is a place in a controller's queue, and then a slot and a share of its bytes.
type Ticket struct {
	of       *Controller
	admitted chan struct{} // closed when the ticket holds its slot and bytes
	bytes    int64
	more     int64         // that it waits for
	grown    chan struct{} // closed when it has them
}

// Enter asks for a slot and for bytes, and does not wait for them. More bytes than
// there are stands for all.
func (c *Controller) Enter(bytes int64) *Ticket {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &Ticket{of: c, admitted: make(chan struct{}), bytes: min(bytes, c.most)}
	c.queue = append(c.queue, t)
	c.admit()
	return t
}

// Admitted is closed when the ticket holds its slot and its bytes.
func (t *Ticket) Admitted() <-chan struct{} { return t.admitted }

// admit serves those who wait: first the shards that are under way, for only
// they can give anything back.
func (c *Controller) admit() {
	c.growing = slices.DeleteFunc(c.growing, func(t *Ticket) bool {
		// The oldest gets what it needs even where that is not there. Someone has
		// to go on, or all would wait for each other.
		if t.more > c.bytes && t != c.inside[0] {
			return false
		}
		c.bytes -= t.more
		t.bytes += t.more
		close(t.grown)
		return true
	})
	for len(c.queue) > 0 && len(c.growing) == 0 {
		t := c.queue[0]
		if c.slots == 0 || c.bytes < t.bytes {
			return
		}
		c.slots--
		c.bytes -= t.bytes
		c.inside = append(c.inside, t)
		c.queue = c.queue[1:]
		close(t.admitted)
	}
}

// Grow waits until an admitted ticket holds at least bytes, where its shard
// turns out larger than was thought. The oldest ticket gets them even where they are
// not there, so that one always goes on.
func (t *Ticket) Grow(ctx context.Context, bytes int64) error {
	c := t.of
	c.mu.Lock()
	if bytes <= t.bytes {
		c.mu.Unlock()
		return nil
	}
	t.more, t.grown = bytes-t.bytes, make(chan struct{})
	c.growing = append(c.growing, t)
	c.admit()
	c.mu.Unlock()
	select {
	case <-t.grown:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.growing = slices.DeleteFunc(c.growing, func(o *Ticket) bool { return o == t })
		c.admit()
		return ctx.Err()
	}
}

// Resize makes an admitted ticket's share bytes: what its shard really takes.
// It does not wait.
func (t *Ticket) Resize(bytes int64) {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	t.of.bytes += t.bytes - bytes
	t.bytes = bytes
	t.of.admit()
}

// Leave gives back all that the ticket holds, or its place in the queue.
// It may be called more than once.
func (t *Ticket) Leave() {
	c := t.of
	c.mu.Lock()
	defer c.mu.Unlock()
	is := func(o *Ticket) bool { return o == t }
	if i := slices.IndexFunc(c.inside, is); i >= 0 {
		c.inside = slices.Delete(c.inside, i, i+1)
		c.slots++
		c.bytes += t.bytes
	} else {
		c.queue = slices.DeleteFunc(c.queue, is)
	}
	c.admit()
}
