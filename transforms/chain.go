package transforms

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kvsframes/kvsframes/io/frame"
)

// chain is the steps of one call, in segments: what frames go through at the same
// time, and the decision in their order that ends it.
type chain []segment

type segment struct {
	steps  []Step
	kinds  []*kind
	decide decides // nil at the end of the chain
}

func newChain(descriptions []string) (chain, error) {
	c := chain{{}}
	for _, description := range descriptions {
		k, spec := find(description)
		if k == nil {
			return nil, fmt.Errorf("there is no step %q", description)
		}
		step, err := k.parse(spec)
		if err != nil {
			return nil, err
		}
		last := &c[len(c)-1]
		last.steps, last.kinds = append(last.steps, step), append(last.kinds, k)
		if d, ok := step.(decides); ok {
			last.decide = d
			c = append(c, segment{})
		}
	}
	return c, nil
}

// perCore is how many frames are at work at once, for each core: few, because
// their pixels are in memory, but some, because they are of different sizes.
const perCore = 4

// run puts frames through the chain and hands each to done, in their order. What
// it starts has ended when it returns. An error names the frame.
func (c chain) run(ctx context.Context, frames []frame.Frame, done func(*sample)) error {
	cores := runtime.GOMAXPROCS(0)
	deciders := make([]decider, len(c))
	for i, g := range c {
		if g.decide != nil {
			deciders[i] = g.decide.decider()
		}
	}
	memory := make([]sample, min(len(frames), perCore*cores))
	for some := range slices.Chunk(frames, perCore*cores) {
		if err := ctx.Err(); err != nil {
			return err
		}
		samples := memory[:len(some)]
		for i := range some {
			samples[i] = sample{frame: some[i]}
		}
		if err := c.runSome(ctx, samples, deciders, cores); err != nil {
			return err
		}
		for i := range samples {
			samples[i].count(ctx)
			done(&samples[i])
		}
	}
	return nil
}

func (c chain) runSome(ctx context.Context, samples []sample, deciders []decider, cores int) error {
	for i, g := range c {
		if err := eachOf(samples, cores, g.prepare); err != nil {
			return err
		}
		for k := range samples {
			if deciders[i] == nil || samples[k].gone() {
				continue
			}
			if err := deciders[i](ctx, &samples[k]); err != nil {
				return samples[k].failed(g.steps[len(g.steps)-1], err)
			}
		}
	}
	return eachOf(samples, cores, func(s *sample) error {
		defer s.pixels.Release()
		defer s.shown.Release()
		if s.gone() {
			return nil
		}
		return s.settle()
	})
}

// prepare puts a frame through the segment, until it cannot be decoded.
func (g segment) prepare(s *sample) error {
	if s.gone() {
		return nil
	}
	for i, step := range g.steps {
		err := s.apply(step, g.kinds[i])
		if bad := (undecodable{}); errors.As(err, &bad) {
			s.corrupt = bad.error
			return nil
		}
		if err != nil {
			return s.failed(step, err)
		}
	}
	return nil
}

// eachOf calls f for each sample, on that many goroutines, and returns when all have
// ended. Its error is that of the first sample that has one.
func eachOf(samples []sample, cores int, f func(*sample) error) error {
	errs := make([]error, len(samples))
	var next atomic.Int64
	take := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(samples) {
				return
			}
			errs[i] = f(&samples[i])
		}
	}
	var wait sync.WaitGroup
	for range min(cores, len(samples)) - 1 {
		wait.Go(take)
	}
	take()
	wait.Wait()
	return errors.Join(errs...)
}
