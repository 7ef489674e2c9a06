package kvsio

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/admit"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/lift"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pace"
)

// engine makes the calls of a process: one limit of calls under way, one pace a
// stream, whatever the number of bundles.
type engine struct {
	params    ReadParams
	clients   clients
	admission *admit.Controller

	relaxed broadcast // a stream can take more shards
	retries retries
	wires   lift.Wires
	reached atomic.Bool // the control plane has answered
	refused atomic.Bool // keys were, and others were not found

	mu             sync.Mutex
	streams        map[grid.StreamKey]*stream
	lastFrameBytes int64 // what a frame took of late

	users int         // guarded by engines.mu, as idle is
	idle  *time.Timer // forgets the engine; nil where it has never been idle
}

// engineKey is what must be the same for bundles to share an engine.
type engineKey struct {
	aws          AWSParams
	calls        CallParams
	maxInFlight  int
	memoryBudget int64
	clockSkew    time.Duration
}

func (p ReadParams) engineKey() engineKey {
	return engineKey{p.AWS, p.CallParams, p.MaxInFlight, p.MemoryBudget, p.ClockSkew}
}

var engines = struct {
	mu sync.Mutex
	of map[engineKey]*engine
}{of: make(map[engineKey]*engine)}

// engineLife is how long an engine is kept that nobody uses. What it knows of paces
// and data endpoints is for the bundle that follows, or the job after a preflight; a
// process that outlives many jobs does not keep their engines.
const engineLife = 10 * time.Minute

// engineFor returns the process's engine for parameters, to be used until release.
func engineFor(ctx context.Context, p ReadParams) (*engine, error) {
	p = p.withDefaults()
	key := p.engineKey()
	engines.mu.Lock()
	defer engines.mu.Unlock()
	if e, ok := engines.of[key]; ok {
		if e.users++; e.idle != nil {
			e.idle.Stop()
		}
		return e, nil
	}
	cfg, err := p.AWS.load(ctx)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		return nil, errNoRegion()
	}
	if err := checkCredentials(ctx, cfg); err != nil {
		return nil, err
	}
	e := newEngine(p, newClients(cfg, p.AWS, p.MaxInFlight))
	e.users = 1
	engines.of[key] = e
	return e, nil
}

// anyEngine is engineFor of parameters without limits: where the process has an engine
// whose calls are the same, it is that, so that they share their paces.
func anyEngine(ctx context.Context, p ReadParams) (*engine, error) {
	p = p.withDefaults()
	engines.mu.Lock()
	for key := range engines.of {
		if key.aws == p.AWS && key.calls == p.CallParams {
			p.MaxInFlight, p.MemoryBudget, p.ClockSkew = key.maxInFlight, key.memoryBudget, key.clockSkew
		}
	}
	engines.mu.Unlock()
	return engineFor(ctx, p)
}

// release ends a use of the engine that engineFor returned.
func (e *engine) release() {
	engines.mu.Lock()
	defer engines.mu.Unlock()
	if e.users--; e.users > 0 {
		return
	}
	if e.refused.Load() {
		e.end() // the next job looks for keys anew
		return
	}
	e.idle = time.AfterFunc(engineLife, e.forget)
}

// forget ends an engine that nobody uses.
func (e *engine) forget() {
	engines.mu.Lock()
	defer engines.mu.Unlock()
	e.end()
}

// end is forget for whoever holds engines.mu.
func (e *engine) end() {
	if key := e.params.engineKey(); e.users == 0 && engines.of[key] == e {
		delete(engines.of, key)
		e.clients.close()
	}
}

func newEngine(p ReadParams, c clients) *engine {
	return &engine{
		params: p, clients: c, admission: admit.New(p.MaxInFlight, p.MemoryBudget),
		streams: make(map[grid.StreamKey]*stream), lastFrameBytes: firstFrameBytes,
	}
}

func (e *engine) stream(key grid.StreamKey) *stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.streams[key]
	if !ok {
		s = newStream(key, pace.New(max(0, e.params.StreamQuota), e.params.QuotaShare), &e.relaxed)
		e.streams[key] = s
	}
	return s
}
