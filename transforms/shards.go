package transforms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame"
)

func init() {
	register.DoFn3x1[context.Context, frame.Shard, func(frame.Shard), error](&shardsFn{})
	register.Emitter1[frame.Shard]()
}

// Shards puts the frames of a PCollection<frame.Shard> through steps, one after
// the other, and returns the shards that come of it, with the same event times. It
// is one DoFn, which runners fuse with the source: no frame crosses from one
// stage to another.
//
// Each sample of a shard stays one: a frame that cannot be decoded becomes a gap
// CORRUPT with the cause, one that is left out a drop with its reason. The frames
// that were given are not changed. Frames of a shard are worked on at the
// same time, on as many cores as there are, and decided on in their order. Pixels
// are large: a shard of 100 decoded pictures of 1080p is 622 MB, so resize first,
// or sample less in a shard.
//
// Shards panics if steps are not valid: check [Validate] where they come from
// elsewhere.
func Shards(s beam.Scope, shards beam.PCollection, steps ...Step) beam.PCollection {
	s = s.Scope("transforms.Shards")
	if err := Validate(steps...); err != nil {
		panic(fmt.Errorf("transforms.Shards: %w", err))
	}
	return beam.ParDo(s, &shardsFn{Steps: store(steps)}, shards)
}

type shardsFn struct {
	Steps []stored

	line line
}

func (fn *shardsFn) Setup() (err error) {
	fn.line, err = newLine(fn.Steps)
	return err
}

func (fn *shardsFn) ProcessElement(ctx context.Context, shard frame.Shard, emit func(frame.Shard)) error {
	out := frame.Shard{
		Span: shard.Span, Frames: make([]frame.Frame, 0, len(shard.Frames)),
		Gaps: slices.Clone(shard.Gaps), Drops: slices.Clone(shard.Drops),
	}
	err := fn.line.run(ctx, shard.Frames, func(w *work) {
		switch f := w.frame; {
		case w.corrupt != nil:
			out.Gaps = append(out.Gaps, w.gap())
		case w.drop != "":
			out.Drops = append(out.Drops, frame.Drop{SampleMs: f.SampleMs, Reason: w.drop})
		default:
			out.Frames = append(out.Frames, f)
		}
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(out.Gaps, func(a, b frame.Gap) int { return cmp.Compare(a.SampleMs, b.SampleMs) })
	slices.SortStableFunc(out.Drops, func(a, b frame.Drop) int { return cmp.Compare(a.SampleMs, b.SampleMs) })
	emit(out)
	return nil
}

// gap is what a frame that cannot be decoded becomes.
func (w *work) gap() frame.Gap {
	f := w.frame
	return frame.Gap{
		Stream: f.Stream, StreamARN: f.StreamARN, SampleMs: f.SampleMs,
		Reason: frame.Corrupt, Cause: w.corrupt.Error(),
	}
}

// line is the steps of one call, in stretches: what frames go through at the same
// time, and the decision in their order that ends it.
type line []stretch

type stretch struct {
	steps  []Step
	kinds  []kind
	decide decides // nil at the end of the line
}

func newLine(steps []stored) (line, error) {
	l := line{{}}
	for _, s := range steps {
		step, kind, err := s.step()
		if err != nil {
			return nil, err
		}
		last := &l[len(l)-1]
		last.steps, last.kinds = append(last.steps, step), append(last.kinds, kind)
		if d, ok := step.(decides); ok {
			last.decide = d
			l = append(l, stretch{})
		}
	}
	return l, nil
}

// perCore is how many frames are at work at once, for each core: few, because
// their pixels are in memory, but some, because they are of different sizes.
const perCore = 4

// run puts frames through the line and hands each to done, in their order. What
// it starts has ended when it returns. An error names the frame.
func (l line) run(ctx context.Context, frames []frame.Frame, done func(*work)) error {
	cores := runtime.GOMAXPROCS(0)
	deciders := make([]decider, len(l))
	for i, s := range l {
		if s.decide != nil {
			deciders[i] = s.decide.decider()
		}
	}
	works := make([]work, min(len(frames), perCore*cores))
	for some := range slices.Chunk(frames, perCore*cores) {
		if err := ctx.Err(); err != nil {
			return err
		}
		works := works[:len(some)]
		for i := range some {
			works[i] = work{frame: some[i]}
		}
		if err := l.runSome(ctx, works, deciders, cores); err != nil {
			return err
		}
		for i := range works {
			works[i].tell(ctx)
			done(&works[i])
		}
	}
	return nil
}

func (l line) runSome(ctx context.Context, works []work, deciders []decider, cores int) error {
	for i, s := range l {
		if err := eachOf(works, cores, s.prepare); err != nil {
			return err
		}
		for k := range works {
			if deciders[i] == nil || works[k].gone() {
				continue
			}
			if err := deciders[i](ctx, &works[k]); err != nil {
				return works[k].failed(s.steps[len(s.steps)-1], err)
			}
		}
	}
	return eachOf(works, cores, func(w *work) error {
		defer w.pixels.Release()
		if w.gone() {
			return nil
		}
		return w.settle()
	})
}

// prepare puts a frame through the stretch, until it cannot be decoded.
func (s stretch) prepare(w *work) error {
	if w.gone() {
		return nil
	}
	for i, step := range s.steps {
		err := w.run(step, s.kinds[i])
		if bad := (undecodable{}); errors.As(err, &bad) {
			w.corrupt = bad.error
			return nil
		}
		if err != nil {
			return w.failed(step, err)
		}
	}
	return nil
}

// failed says what was done to which frame.
func (w *work) failed(step Step, err error) error {
	return fmt.Errorf("%s: the frame of %s at %s: %w", step, w.frame.Stream, w.frame.SampleTime().Format(time.RFC3339Nano), err)
}

// eachOf calls f for each work, on that many goroutines, and returns when all have
// ended. Its error is that of the first work that has one.
func eachOf(works []work, cores int, f func(*work) error) error {
	errs := make([]error, len(works))
	var next atomic.Int64
	take := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(works) {
				return
			}
			errs[i] = f(&works[i])
		}
	}
	var wait sync.WaitGroup
	for range min(cores, len(works)) - 1 {
		wait.Go(take)
	}
	take()
	wait.Wait()
	return errors.Join(errs...)
}
