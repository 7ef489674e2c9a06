//go:build e2e

package main

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/internal/sockets"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// listeners runs a command to its end and returns every address at which it was
// seen to accept connections.
func (u *user) listeners(args ...string) (outcomeOf, []netip.AddrPort) {
	u.t.Helper()
	r := u.start(args...)
	ended, seen := make(chan struct{}), make(chan []netip.AddrPort)
	go func() {
		all := map[netip.AddrPort]bool{}
		for {
			addresses, _ := sockets.Listening(r.Process.Pid) // of a process that may have ended
			for _, a := range addresses {
				all[a] = true
			}
			select {
			case <-ended:
				seen <- slices.Collect(maps.Keys(all))
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	o := finish(u.t, r)
	close(ended)
	return o, <-seen
}

// TestNobodyCanConnect: a command of one machine accepts no connections, but for the
// demo's stand-in, from this machine.
func TestNobodyCanConnect(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{
		Streams: []kvstest.Stream{camera("cam")}, Latency: kvstest.Latency{PerCall: 20 * time.Millisecond},
	})
	images := append([]string{"get-images"}, ask(0, 10)[1:]...)
	for _, test := range []struct {
		name     string
		args     []string
		standIns int
	}{
		{"backfill", ask(0, 20, "--shard-samples", "5", "--max-in-flight", "4"), 0},
		{"pack", []string{"pack", "out", "set", "--samples-per-file", "5"}, 0},
		{"verify", []string{"verify", "out"}, 0},
		{"index", []string{"index", "out"}, 0},
		{"remove", []string{"remove", "out", "--stream-name", "cam"}, 0},
		{"get-images", images, 0},
		{"demo", []string{"demo"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, at := u.listeners(test.args...)
			if o.status != 0 {
				t.Fatalf("exit status %d\n%s", o.status, o.stderr)
			}
			if len(at) != test.standIns {
				t.Errorf("it accepts connections at %v", at)
			}
			for _, a := range at {
				if !a.Addr().IsLoopback() {
					t.Errorf("other machines can connect to %v", a)
				}
			}
		})
	}
}

// TestPrismIsWarnedOf: who asks for prism is told once what it opens; and so it does.
func TestPrismIsWarnedOf(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{
		Streams: []kvstest.Stream{camera("cam")}, Latency: kvstest.Latency{PerCall: 20 * time.Millisecond},
	})
	o, at := u.listeners(ask(0, 20, "--shard-samples", "5", "--max-in-flight", "4", "--runner", "prism")...)
	if o = warned(t, o, "prism"); o.status != 0 || o.stderr != "" {
		t.Errorf("exit status %d, stderr:\n%s", o.status, o.stderr)
	}
	if !slices.ContainsFunc(at, func(a netip.AddrPort) bool { return a.Addr().IsUnspecified() }) {
		t.Errorf("it accepts connections at %v: prism is not what the warning says any more", at)
	}
}
