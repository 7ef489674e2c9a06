package admit

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

func isAdmitted(t *Ticket) bool {
	select {
	case <-t.admitted:
		return true
	default:
		return false
	}
}

func TestAdmitsInOrder(t *testing.T) {
	g := New(2, 100)
	first, second, third := g.Enter(60), g.Enter(60), g.Enter(10)
	if !isAdmitted(first) || isAdmitted(second) || isAdmitted(third) {
		t.Fatal("60 of 100 bytes are taken: the second has to wait, and the third behind it")
	}
	first.Resize(20)
	if !isAdmitted(second) || isAdmitted(third) {
		t.Fatal("80 bytes are free, and one slot")
	}
	second.Leave()
	second.Leave()
	if !isAdmitted(third) || isAdmitted(g.Enter(1)) {
		t.Fatal("one slot is free")
	}
}

func TestAdmitsAShardLargerThanTheBudget(t *testing.T) {
	g := New(2, 100)
	if !isAdmitted(g.Enter(1000)) {
		t.Fatal("one shard always fits")
	}
}

func TestForgetsWhoLeavesTheQueue(t *testing.T) {
	g := New(1, 100)
	first, second, third := g.Enter(1), g.Enter(1), g.Enter(1)
	second.Leave()
	first.Leave()
	if isAdmitted(second) || !isAdmitted(third) {
		t.Fatal("the third is next")
	}
}

// A shard that turns out larger waits for others, unless it is the oldest: one
// has to go on.
func TestGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(3, 100)
		first, second := g.Enter(40), g.Enter(40)
		var order []string
		grow := func(name string, ticket *Ticket, bytes int64) {
			go func() {
				if ticket.Grow(t.Context(), bytes) == nil {
					order = append(order, name)
				}
			}()
			synctest.Wait()
		}
		grow("second", second, 70)
		if len(order) > 0 {
			t.Fatal("20 bytes are left, and the second needs 30 more")
		}
		third := g.Enter(1)
		if isAdmitted(third) {
			t.Fatal("nobody comes in while somebody inside waits")
		}
		grow("first", first, 500)
		if len(order) != 1 {
			t.Fatal("the oldest gets what it needs")
		}
		first.Leave()
		synctest.Wait()
		if !slices.Equal(order, []string{"first", "second"}) || !isAdmitted(third) {
			t.Fatal(order)
		}
		ctx, cancel := context.WithCancel(t.Context())
		third.Resize(0)
		cancel()
		if err := third.Grow(ctx, 500); err == nil {
			t.Error("the second is the oldest now: the third waits until it is cancelled")
		}
		second.Leave()
		third.Leave()
		if g.bytes != 100 || g.slots != 3 || len(g.growing)+len(g.inside) > 0 {
			t.Errorf("%+v", g)
		}
	})
}

// Whatever comes and goes, a controller that is empty again holds all it had.
func TestWholeInTheEnd(t *testing.T) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	rapid.Check(t, func(t *rapid.T) {
		g := New(rapid.IntRange(1, 5).Draw(t, "slots"), rapid.Int64Range(1, 100).Draw(t, "bytes"))
		slots, bytes := g.slots, g.bytes
		var tickets []*Ticket
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			if len(tickets) == 0 || rapid.Bool().Draw(t, "enter") {
				tickets = append(tickets, g.Enter(rapid.Int64Range(0, 200).Draw(t, "bytes")))
				continue
			}
			i := rapid.IntRange(0, len(tickets)-1).Draw(t, "ticket")
			if isAdmitted(tickets[i]) {
				bytes := rapid.Int64Range(0, 300).Draw(t, "bytes")
				switch rapid.IntRange(0, 2).Draw(t, "what it does") {
				case 0:
					tickets[i].Resize(bytes)
					continue
				case 1:
					tickets[i].Grow(done, bytes)
					continue
				}
			}
			tickets[i].Leave()
			tickets = append(tickets[:i], tickets[i+1:]...)
		}
		for _, left := range tickets {
			left.Leave()
		}
		if g.slots != slots || g.bytes != bytes || len(g.queue) != 0 {
			t.Fatalf("%d of %d slots, %d of %d bytes, %d in the queue", g.slots, slots, g.bytes, bytes, len(g.queue))
		}
	})
}
