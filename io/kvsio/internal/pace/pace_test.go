package pace

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// granter is a service that grants points, and nothing else of one.
type granter struct {
	mu     sync.Mutex
	rate   float64 // points a second; none: all is refused
	free   bool    // no limit at all
	burst  float64 // seconds' worth that it has in reserve at most; 0: one call's
	odds   float64 // of a throttle that no quota is behind
	random *rand.Rand

	level float64
	at    time.Time
	calls []grantedCall
}

type grantedCall struct {
	at      time.Time
	process int
	images  int
	refused bool
}

func (g *granter) call(process, n int) (ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, cost := time.Now(), points(n)
	g.level = min(max(g.burst*g.rate, cost), g.level+g.rate*now.Sub(g.at).Seconds())
	g.at = now
	ok = g.free || g.rate > 0 && g.level >= cost
	if g.odds > 0 && g.random.Float64() < g.odds {
		ok = false
	}
	if ok {
		g.level -= cost
	}
	g.calls = append(g.calls, grantedCall{now, process, n, !ok})
	return ok
}

func (g *granter) set(rate float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rate = rate
}

// read calls for n images as fast as a pace lets it, until ctx ends.
func (g *granter) read(ctx context.Context, group *sync.WaitGroup, process int, p *Pace, n int, latency time.Duration) {
	for i := range 32 {
		random := rand.New(rand.NewPCG(uint64(i), uint64(process)))
		jitter := func(d time.Duration) { time.Sleep(time.Duration(random.Float64() * float64(d))) }
		group.Go(func() {
			for {
				turn, err := p.Wait(ctx, n)
				if err != nil {
					return
				}
				jitter(latency / 10) // on its way
				ok := g.call(process, n)
				jitter(2 * latency)
				if ok {
					p.Accepted(turn)
				} else {
					p.Throttled(turn)
				}
			}
		})
	}
}

// seen is what came of the calls in a time.
type seen struct {
	used      float64 // images a second that were granted
	throttled float64 // part of the calls
	calls     float64 // a second
}

func (g *granter) seen(from, to time.Duration, process int) (s seen) {
	refused, began := 0.0, g.calls[0].at
	for _, c := range g.calls {
		if at := c.at.Sub(began); at < from || at >= to || process >= 0 && c.process != process {
			continue
		}
		if s.calls++; c.refused {
			refused++
		} else {
			s.used += float64(c.images)
		}
	}
	s.throttled = refused / max(s.calls, 1)
	s.used /= (to - from).Seconds()
	s.calls /= (to - from).Seconds()
	return s
}

const anyProcess = -1

// simulate lets script go on for as long as it sleeps, with paces made alike.
func simulate(t *testing.T, g *granter, told, share float64, n int, latency time.Duration, script func(join func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		g.at, g.level, g.random = time.Now(), g.burst*g.rate, rand.New(rand.NewPCG(1, 2))
		var group sync.WaitGroup
		process := 0
		script(func() {
			g.read(ctx, &group, process, New(told, share), n, latency)
			process++
		})
		cancel()
		group.Wait()
	})
}

// each runs a test for several latencies, and for a quota that is not told or
// told wrongly: 500 and half of it.
func each(t *testing.T, test func(t *testing.T, told, share float64, latency time.Duration)) {
	for _, latency := range []time.Duration{5 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond} {
		t.Run(fmt.Sprint("not told, ", latency), func(t *testing.T) { test(t, 0, 1, latency) })
		t.Run(fmt.Sprint("told wrongly, ", latency), func(t *testing.T) { test(t, 500, 0.5, latency) })
	}
}

func between(t *testing.T, what string, got, least, most float64) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: %.3f, want %.3f–%.3f", what, got, least, most)
	}
}

func TestPaceFindsTheQuota(t *testing.T) {
	each(t, func(t *testing.T, told, share float64, latency time.Duration) {
		g := &granter{rate: 125, burst: 1}
		simulate(t, g, told, share, 25, latency, func(join func()) {
			join()
			time.Sleep(time.Minute)
		})
		between(t, "of the quota used", g.seen(0, time.Minute, anyProcess).used/125, 0.95, 1.02)
		between(t, "throttled", g.seen(10*time.Second, time.Minute, anyProcess).throttled, 0, 0.05)
	})
}

// Processes that share a quota and do not know of each other share it.
func TestPacesShareTheQuota(t *testing.T) {
	for _, late := range []time.Duration{0, 20 * time.Second} {
		t.Run(fmt.Sprint("the second after ", late), func(t *testing.T) {
			each(t, func(t *testing.T, told, share float64, latency time.Duration) {
				g := &granter{rate: 125, burst: 1}
				simulate(t, g, told, share, 25, latency, func(join func()) {
					join()
					time.Sleep(late)
					join()
					time.Sleep(5 * time.Minute)
				})
				from, to := late+time.Minute, late+5*time.Minute
				all := g.seen(from, to, anyProcess)
				between(t, "of the quota used", all.used/125, 0.95, 1.02)
				between(t, "throttled", all.throttled, 0, 0.07)
				between(t, "the first one's part", g.seen(from, to, 0).used/all.used, 0.2, 0.8)
			})
		})
	}
}

func TestPaceTakesItsShare(t *testing.T) {
	for _, share := range []float64{1, 0.5} {
		g := &granter{rate: 500, burst: 1}
		simulate(t, g, 500, share, 25, 100*time.Millisecond, func(join func()) {
			join()
			time.Sleep(time.Minute)
		})
		s := g.seen(0, time.Minute, anyProcess)
		between(t, "of the share used", s.used/(500*share), 0.97, 1)
		between(t, "throttled", s.throttled, 0, 0)
	}
}

// TestPaceOfADay: samples of a stream take what docs/scale.md says, a second for as
// many images as the quota's share has.
func TestPaceOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const samples = 28_800 // a day, one every 3 s
		p := New(500, 0.5)
		began := time.Now()
		for range samples / PageSize {
			turn, err := p.Wait(t.Context(), PageSize)
			if err != nil {
				t.Fatal(err)
			}
			p.Accepted(turn)
		}
		took, want := time.Since(began).Seconds(), samples/(500*0.5)
		if took < want*0.99 || took > want*1.01 {
			t.Errorf("%.1f s, want %.1f s", took, want)
		}
	})
}

func TestPaceFollowsChanges(t *testing.T) {
	each(t, func(t *testing.T, told, share float64, latency time.Duration) {
		const stretch = 25 * time.Second
		quotas := []float64{250, 50, 250, 50, 250}
		g := &granter{rate: 250, burst: 1}
		simulate(t, g, told, share, 25, latency, func(join func()) {
			join()
			for _, quota := range quotas {
				g.set(quota)
				time.Sleep(stretch)
			}
		})
		for i, quota := range quotas {
			changed := time.Duration(i) * stretch
			s := g.seen(changed+10*time.Second, changed+20*time.Second, anyProcess)
			between(t, fmt.Sprint("of the quota of stretch ", i), s.used/quota, 0.9, 1.1)
		}
	})
}

// Throttles that no quota is behind slow a stream down, and do not stop it.
func TestPaceBearsRandomThrottles(t *testing.T) {
	for odds, least := range map[float64]float64{0.02: 0.85, 0.05: 0.55} {
		g := &granter{free: true, odds: odds}
		simulate(t, g, 500, 0.5, 25, 100*time.Millisecond, func(join func()) {
			join()
			time.Sleep(time.Minute)
		})
		between(t, fmt.Sprint("of the share used with ", odds), g.seen(0, time.Minute, anyProcess).used/250, least, 1)
	}
}

// Calls for few images are bound by their metadata points.
func TestPaceOfSmallCalls(t *testing.T) {
	g := &granter{rate: 500, burst: 1}
	simulate(t, g, 500, 1, 1, 100*time.Millisecond, func(join func()) {
		join()
		time.Sleep(time.Minute)
	})
	s := g.seen(0, time.Minute, anyProcess)
	between(t, "calls a second", s.calls, 24.5, 25)
	between(t, "throttled", s.throttled, 0, 0)

	g = &granter{rate: 125, burst: 1}
	simulate(t, g, 0, 1, 1, 100*time.Millisecond, func(join func()) {
		join()
		time.Sleep(time.Minute)
	})
	s = g.seen(10*time.Second, time.Minute, anyProcess)
	between(t, "of the quota used", s.calls*(1-s.throttled)*points(1)/125, 0.95, 1.02)
	between(t, "throttled", s.throttled, 0, 0.05)
}

func TestPaceWithoutQuotaWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, began := New(0, 1), time.Now()
		for range 1000 {
			turn, err := p.Wait(t.Context(), 25)
			if err != nil {
				t.Fatal(err)
			}
			p.Accepted(turn)
		}
		if waited := time.Since(began); waited > 0 {
			t.Errorf("waited %v", waited)
		}
	})
}

// Where all is refused few calls are made, and when that is over it is noticed.
func TestPaceOutlastsAnOutage(t *testing.T) {
	each(t, func(t *testing.T, told, share float64, latency time.Duration) {
		g := &granter{rate: 250, burst: 1}
		simulate(t, g, told, share, 25, latency, func(join func()) {
			join()
			time.Sleep(30 * time.Second)
			g.set(0)
			time.Sleep(time.Minute)
			g.set(250)
			time.Sleep(30 * time.Second)
		})
		between(t, "calls a second", g.seen(40*time.Second, 90*time.Second, anyProcess).calls, 0.1, 2.1)
		between(t, "of the quota used afterwards", g.seen(100*time.Second, 115*time.Second, anyProcess).used/250, 0.9, 1.1)
	})
}

// Who has not called for long has saved up nothing, and who calls less than it
// may has found out nothing.
func TestPaceDoesNotSaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, p := range []*Pace{New(500, 1), func() *Pace {
			p := New(0, 1)
			p.Throttled(Grant{at: time.Now(), cost: 25})
			return p
		}()} {
			for range 600 { // a call a second
				turn, err := p.Wait(t.Context(), 25)
				if err != nil {
					t.Fatal(err)
				}
				p.Accepted(turn)
				time.Sleep(time.Second)
			}
			calls, end := 0, time.Now().Add(time.Second)
			for time.Now().Before(end) {
				if _, err := p.Wait(t.Context(), 25); err != nil {
					t.Fatal(err)
				}
				calls++
			}
			if calls > 21 {
				t.Errorf("%d calls in the first second", calls)
			}
		}
	})
}

func TestPaceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, 1)
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := p.Wait(ctx, 25); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		for range 3 {
			go func() {
				_, err := p.Wait(ctx, 25)
				ended <- err
			}()
		}
		synctest.Wait()
		cancel()
		for range 3 {
			if err := <-ended; err == nil {
				t.Error("a turn for a context that has ended")
			}
		}
	})
}

// TestMetadataPoints: a call of ListFragments costs a twentieth of what it asks for.
func TestMetadataPoints(t *testing.T) {
	g, err := New(500, 1).WaitMetadata(t.Context(), 1000)
	if err != nil || g.cost != 50 {
		t.Errorf("1,000 metadata points cost %v media points, %v", g.cost, err)
	}
}
