package kvstest

import (
	"errors"
	"testing"
)

func TestLRU(t *testing.T) {
	built := 0
	c := newLRU[string](10, func(n int) int { return n })
	get := func(key string, size int) int {
		before := built
		c.get(key, func() (int, error) { built++; return size, nil })
		return built - before
	}
	for i, s := range []struct {
		key         string
		size, built int
	}{
		{"a", 4, 1},
		{"b", 4, 1},
		{"a", 4, 0},
		{"c", 4, 1}, // pushes out b, which was used longest ago
		{"a", 4, 0},
		{"b", 4, 1}, // pushes out c
		{"huge", 11, 1},
		{"huge", 11, 1}, // never fits
		{"a", 4, 1},
	} {
		if got := get(s.key, s.size); got != s.built {
			t.Errorf("step %d, %s: built %d, want %d", i, s.key, got, s.built)
		}
	}
	if _, err := c.get("bad", func() (int, error) { return 1, errors.New("no") }); err == nil || get("bad", 1) != 1 {
		t.Error("a failure is kept")
	}
}
