package kvsio

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

// paced makes calls of n images from several goroutines for a time, against a
// quota of points a second with a second's burst, and returns how many images
// were granted and how many calls refused.
func paced(t *testing.T, p *pace, quota float64, n int, d time.Duration) (images, refused int) {
	t.Helper()
	tokens, last := quota, time.Now()
	end := time.Now().Add(d)
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for time.Now().Before(end) {
				if err := p.wait(t.Context(), n); err != nil {
					t.Error(err)
				}
				mu.Lock()
				now := time.Now()
				tokens = min(quota, tokens+quota*now.Sub(last).Seconds())
				last = now
				if quota > 0 && tokens < float64(n) {
					refused++
					p.throttled(now)
				} else {
					tokens -= float64(n)
					images += n
				}
				mu.Unlock()
				time.Sleep(50 * time.Millisecond) // the call
			}
		})
	}
	group.Wait()
	return images, refused
}

func TestPaceTakesItsShare(t *testing.T) {
	for _, share := range []float64{1, 0.5} {
		synctest.Test(t, func(t *testing.T) {
			images, refused := paced(t, newPace(500, share), 500, 25, time.Minute)
			if most := int(500*share*60) + 8*25; images > most || images < most*97/100 || refused > 0 {
				t.Errorf("share %v: %d images in a minute, %d calls refused", share, images, refused)
			}
		})
	}
}

func TestPaceCountsMetadataPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		images, _ := paced(t, newPace(500, 1), 0, 1, time.Minute)
		if calls := 10_000.0 / 401 * 60; float64(images) > calls+8 || float64(images) < 0.97*calls {
			t.Errorf("%d calls of one image in a minute, want %v", images, calls)
		}
	})
}

func TestPaceSlowsDownBelowItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(500, 1) // but the service grants 100
		paced(t, p, 100, 25, time.Minute)
		images, refused := paced(t, p, 100, 25, time.Minute)
		if images < 100*60*80/100 {
			t.Errorf("%d images in a minute", images)
		}
		if calls := images/25 + refused; refused > calls/3 {
			t.Errorf("%d of %d calls refused", refused, calls)
		}
	})
}

func TestPaceFindsAQuotaThatIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(0, 0.5)
		paced(t, p, 200, 25, time.Minute)
		images, refused := paced(t, p, 200, 25, time.Minute)
		if images < 200*60*85/100 {
			t.Errorf("%d images in a minute", images)
		}
		if calls := images/25 + refused; refused > calls/10 {
			t.Errorf("%d of %d calls refused", refused, calls)
		}
	})
}
