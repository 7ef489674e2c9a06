package kvsio

import "sync"

// broadcast wakes all who wait.
type broadcast struct {
	mu sync.Mutex
	c  chan struct{}
}

// next returns what the next send closes.
func (b *broadcast) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

// send wakes those who wait for it.
func (b *broadcast) send() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}
