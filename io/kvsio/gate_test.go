package kvsio

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

func isAdmitted(t *ticket) bool {
	select {
	case <-t.admitted:
		return true
	default:
		return false
	}
}

func TestGateAdmitsInOrder(t *testing.T) {
	g := newGate(2, 100)
	first, second, third := g.enter(60), g.enter(60), g.enter(10)
	if !isAdmitted(first) || isAdmitted(second) || isAdmitted(third) {
		t.Fatal("60 of 100 bytes are taken: the second has to wait, and the third behind it")
	}
	first.fetched(20)
	if !isAdmitted(second) || isAdmitted(third) {
		t.Fatal("80 bytes are free, and one slot")
	}
	second.leave()
	second.leave()
	if !isAdmitted(third) || isAdmitted(g.enter(1)) {
		t.Fatal("one slot is free")
	}
}

func TestGateAdmitsAShardLargerThanTheBudget(t *testing.T) {
	g := newGate(2, 100)
	if !isAdmitted(g.enter(1000)) {
		t.Fatal("one shard always fits")
	}
}

func TestGateForgetsWhoLeavesTheQueue(t *testing.T) {
	g := newGate(1, 100)
	first, second, third := g.enter(1), g.enter(1), g.enter(1)
	second.leave()
	first.leave()
	if isAdmitted(second) || !isAdmitted(third) {
		t.Fatal("the third is next")
	}
}

// A shard that turns out larger waits for others, unless it is the oldest: one
// has to go on.
func TestGateGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(3, 100)
		first, second := g.enter(40), g.enter(40)
		var order []string
		grow := func(name string, ticket *ticket, bytes int64) {
			go func() {
				if ticket.need(t.Context(), bytes) == nil {
					order = append(order, name)
				}
			}()
			synctest.Wait()
		}
		grow("second", second, 70)
		if len(order) > 0 {
			t.Fatal("20 bytes are left, and the second needs 30 more")
		}
		third := g.enter(1)
		if isAdmitted(third) {
			t.Fatal("nobody comes in while somebody inside waits")
		}
		grow("first", first, 500)
		if len(order) != 1 {
			t.Fatal("the oldest gets what it needs")
		}
		first.leave()
		synctest.Wait()
		if !slices.Equal(order, []string{"first", "second"}) || !isAdmitted(third) {
			t.Fatal(order)
		}
		ctx, cancel := context.WithCancel(t.Context())
		third.fetched(0)
		cancel()
		if err := third.need(ctx, 500); err == nil {
			t.Error("the second is the oldest now: the third waits until it is cancelled")
		}
		second.leave()
		third.leave()
		if g.bytes != 100 || g.slots != 3 || len(g.growing)+len(g.inside) > 0 {
			t.Errorf("%+v", g)
		}
	})
}

// Whatever comes and goes, a gate that is empty again holds all it had.
func TestGateIsWholeInTheEnd(t *testing.T) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	rapid.Check(t, func(t *rapid.T) {
		g := newGate(rapid.IntRange(1, 5).Draw(t, "slots"), rapid.Int64Range(1, 100).Draw(t, "bytes"))
		slots, bytes := g.slots, g.bytes
		var tickets []*ticket
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			if len(tickets) == 0 || rapid.Bool().Draw(t, "enter") {
				tickets = append(tickets, g.enter(rapid.Int64Range(0, 200).Draw(t, "bytes")))
				continue
			}
			i := rapid.IntRange(0, len(tickets)-1).Draw(t, "ticket")
			if isAdmitted(tickets[i]) {
				bytes := rapid.Int64Range(0, 300).Draw(t, "bytes")
				switch rapid.IntRange(0, 2).Draw(t, "what it does") {
				case 0:
					tickets[i].fetched(bytes)
					continue
				case 1:
					tickets[i].need(done, bytes)
					continue
				}
			}
			tickets[i].leave()
			tickets = append(tickets[:i], tickets[i+1:]...)
		}
		for _, left := range tickets {
			left.leave()
		}
		if g.slots != slots || g.bytes != bytes || len(g.queue) != 0 {
			t.Fatalf("%d of %d slots, %d of %d bytes, %d in the queue", g.slots, slots, g.bytes, bytes, len(g.queue))
		}
	})
}
