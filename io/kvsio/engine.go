package kvsio

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// engine makes the calls of a process: one limit of calls under way, one pace a
// stream, whatever the number of bundles.
type engine struct {
	params  ReadParams
	clients clients
	gate    *gate

	relaxed signal // a stream can take more shards
	retries retries
	wires   wires
	reached atomic.Bool // the control plane has answered

	mu             sync.Mutex
	streams        map[streamKey]*stream
	lastFrameBytes int64 // what a frame took of late
}

// engineKey is what must be the same for bundles to share an engine.
type engineKey struct {
	aws          AWSParams
	maxInFlight  int
	memoryBudget int64
	streamQuota  float64
	quotaShare   float64
	callTimeout  time.Duration
	patience     time.Duration
}

var engines = struct {
	mu sync.Mutex
	of map[engineKey]*engine
}{of: make(map[engineKey]*engine)}

// engineFor returns the process's engine for parameters.
func engineFor(ctx context.Context, p ReadParams) (*engine, error) {
	p = p.withDefaults()
	key := engineKey{p.AWS, p.MaxInFlight, p.MemoryBudget, p.StreamQuota, p.QuotaShare, p.CallTimeout, p.ThrottlePatience}
	engines.mu.Lock()
	defer engines.mu.Unlock()
	if e, ok := engines.of[key]; ok {
		return e, nil
	}
	cfg, err := p.AWS.load(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkCredentials(ctx, cfg); err != nil {
		return nil, err
	}
	e := newEngine(p, newClients(cfg, p.AWS, p.MaxInFlight))
	engines.of[key] = e
	return e, nil
}

func newEngine(p ReadParams, c clients) *engine {
	return &engine{
		params: p, clients: c, gate: newGate(p.MaxInFlight, p.MemoryBudget),
		streams: make(map[streamKey]*stream), lastFrameBytes: firstFrameBytes,
	}
}

func (e *engine) stream(key streamKey) *stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.streams[key]
	if !ok {
		s = newStream(key, newPace(max(0, e.params.StreamQuota), e.params.QuotaShare), &e.relaxed)
		e.streams[key] = s
	}
	return s
}
