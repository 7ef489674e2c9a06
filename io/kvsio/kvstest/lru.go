package kvstest

import (
	"container/list"
	"sync"
)

// lru keeps the values used last, up to a total size.
type lru[K comparable, V any] struct {
	size   func(V) int
	mu     sync.Mutex
	room   int
	order  *list.List // of item, the one used last in front
	lookup map[K]*list.Element
}

type item[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](room int, size func(V) int) *lru[K, V] {
	return &lru[K, V]{size: size, room: room, order: list.New(), lookup: map[K]*list.Element{}}
}

// get returns the value of key, made where it is missing. Two callers may make
// the same value at once.
func (c *lru[K, V]) get(key K, build func() (V, error)) (V, error) {
	c.mu.Lock()
	if e, ok := c.lookup[key]; ok {
		c.order.MoveToFront(e)
		c.mu.Unlock()
		return e.Value.(item[K, V]).value, nil
	}
	c.mu.Unlock()
	value, err := build()
	if err == nil {
		c.add(key, value)
	}
	return value, err
}

func (c *lru[K, V]) add(key K, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.lookup[key]; ok {
		return
	}
	c.lookup[key] = c.order.PushFront(item[K, V]{key, value})
	c.room -= c.size(value)
	for c.room < 0 {
		last := c.order.Remove(c.order.Back()).(item[K, V])
		delete(c.lookup, last.key)
		c.room += c.size(last.value)
	}
}
