package pack

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// Plan says which file of a packed set each frame of a dataset goes into. It
// holds counts, not frames.
type Plan struct {
	Set     Set
	Missing int64 // samples that were asked for and are in no receipt
	Failed  int64 // samples that are FAILED gaps

	dir   string
	works []work
	where arrangement
}

// errNoPlan is the error of a plan that NewPlan has not made.
var errNoPlan = errors.New("plan is nil or empty: it must be one that pack.NewPlan returned")

// empty reports whether NewPlan has not made the plan: those that it makes have frames.
func (p *Plan) empty() bool { return p == nil || len(p.works) == 0 }

// work is a group of samples, as an element of the pipeline.
type work struct {
	Spans  []frame.Span // it is all that is recorded of these
	Starts []int64      // how many frames of each split the groups before it have
	Sum    []byte       // of its frames
}

// arrangement gives each frame its place in a packed set. It is arithmetic: any
// process gives a frame the same place.
type arrangement struct {
	Selection selection
	Divider   divider
	Splits    []SetSplit
	PerFile   int64
	Seed      *int64
	Ambiguous map[string]bool // series, by ID, that are not the only one of their stream
}

// UnknownStreamError says that a dataset has no frames of a stream.
type UnknownStreamError struct {
	Stream string
	Known  []string
}

func (e *UnknownStreamError) Error() string {
	return fmt.Sprintf("the dataset has no stream %q: it has %s", e.Stream, strings.Join(e.Known, ", "))
}

// NewPlan reads once the receipts of what is selected of a dataset. The error is an
// *UnknownStreamError or an *EmptySplitError, says that no frame is selected, or why the
// dataset cannot be read.
func NewPlan(ctx context.Context, source *dataset.Dataset, o Options) (*Plan, error) {
	if source == nil {
		return nil, errors.New("pack.NewPlan: source is nil: it must be a dataset that dataset.Open or dataset.Create opened")
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.defaults()
	plan := &Plan{dir: source.Dir()}
	plan.where = arrangement{Selection: selectionOf(o), Divider: newDivider(o.SplitBy, o.Splits), Seed: o.ShuffleSeed}
	recorded, err := source.Recorded(ctx)
	if err == nil {
		err = checkStreams(o.Streams, recorded)
	}
	if err != nil {
		return nil, err
	}
	groups, err := plan.where.countAll(ctx, source, plan.where.Selection.spans(recorded))
	if err != nil {
		return nil, fmt.Errorf("reading the receipts of %s: %w", plan.dir, err)
	}
	if err := plan.arrange(o, groups); err != nil {
		return nil, err
	}
	plan.Missing, err = missingSamples(ctx, source.Ledger(), plan.where.Selection, groups)
	return plan, err
}

// checkStreams refuses the name of a stream that nothing is recorded of.
func checkStreams(streams []string, recorded []frame.Span) error {
	known := make(map[string]bool)
	for _, span := range recorded {
		if span.Series.CheckNames() == nil {
			known[span.Series.StreamName] = true
		}
	}
	for _, stream := range streams {
		if !known[stream] {
			return &UnknownStreamError{stream, sortedKeys(known)}
		}
	}
	return nil
}

// groupCount is what a group of samples has.
type groupCount struct {
	spans         []frame.Span
	frames, bytes int64             // bytes of pictures
	tensors       int64             // bytes of the tensors beside them
	units         map[string]int64  // frames of each stream or day
	series        map[string]string // of the frames: by ID, their streams
	failed        int64
	sum           []byte
	first         *dataset.Sample // the first frame
}

// countAll counts as many groups at once as there are CPUs.
func (a *arrangement) countAll(ctx context.Context, source *dataset.Dataset, spans []frame.Span) ([]*groupCount,
	error,
) {
	var groups []*groupCount
	var tasks errgroup.Group
	tasks.SetLimit(runtime.GOMAXPROCS(0))
	defer tasks.Wait()
	for group, err := range source.Samples(ctx, spans, false) {
		if err != nil {
			return nil, err
		}
		c := new(groupCount)
		groups = append(groups, c)
		tasks.Go(func() error {
			*c = a.count(group.Samples)
			c.spans = group.Spans
			return nil
		})
	}
	return groups, tasks.Wait()
}

func (a *arrangement) count(samples []dataset.Sample) groupCount {
	c := groupCount{units: make(map[string]int64), series: make(map[string]string), sum: a.Selection.sum(samples)}
	for i := range samples {
		s := &samples[i]
		if s.Outcome == frame.Failed && a.Selection.covers(s) {
			c.failed++
		}
	}
	for s := range a.Selection.of(samples) {
		if c.first == nil {
			first := *s
			c.first = &first
		}
		c.frames++
		c.bytes += s.Size
		c.tensors += s.TensorSize
		c.units[a.Divider.unit(s.Stream, s.SampleMs)]++
		c.series[s.Series] = s.Stream
	}
	return c
}

// arrange makes the plan of what was counted.
func (p *Plan) arrange(o Options, groups []*groupCount) error {
	total := groupCount{units: make(map[string]int64), series: make(map[string]string)}
	all := sha256.New()
	for _, g := range groups {
		total.add(g)
		all.Write(g.sum)
	}
	p.Failed = total.failed
	if total.frames == 0 {
		return fmt.Errorf("no frame of %s is selected: choose other streams or another range of times", p.dir)
	}
	where := &p.where
	where.Divider.assign(total.units)
	where.Ambiguous = ambiguous(total.series)
	var err error
	if where.PerFile, err = where.perFile(o, total); err != nil {
		return err
	}
	counts := make([]int64, len(o.Splits))
	for _, g := range groups {
		if g.frames > 0 {
			p.works = append(p.works, work{Spans: hulls(g.spans), Starts: slices.Clone(counts), Sum: g.sum})
		}
		for unit, frames := range g.units {
			counts[where.Divider.Of[unit]] += frames
		}
	}
	if err := where.divide(o.Splits, counts, len(total.units)); err != nil {
		return err
	}
	p.Set = describeSet(o, where, total, hex.EncodeToString(all.Sum(nil)))
	return nil
}

func (c *groupCount) add(g *groupCount) {
	c.frames += g.frames
	c.bytes += g.bytes
	c.tensors += g.tensors
	c.failed += g.failed
	if c.first == nil {
		c.first = g.first
	}
	for unit, frames := range g.units {
		c.units[unit] += frames
	}
	for series, stream := range g.series {
		c.series[series] = stream
	}
}

// perFile is how many frames a file has.
func (a *arrangement) perFile(o Options, total groupCount) (int64, error) {
	if o.FileSize == 0 {
		return int64(o.SamplesPerFile), nil
	}
	m := a.member(total.first)
	m.Size, m.TensorSize = int(total.bytes/total.frames), int(total.tensors/total.frames)
	size, err := container.SizeOf(container.All[o.Format], m)
	if err != nil {
		return 0, err
	}
	return min(max(1, o.FileSize/size), MaxSamplesPerFile), nil
}

// ambiguous finds the series whose frames' keys would not tell them from those of
// another one: keys are of a stream and an instant.
func ambiguous(series map[string]string) map[string]bool {
	of := make(map[string]int)
	for _, stream := range series {
		of[frame.FileName(stream)]++
	}
	found := make(map[string]bool)
	for id, stream := range series {
		if of[frame.FileName(stream)] > 1 {
			found[id] = true
		}
	}
	return found
}

// divide cuts the splits into files. An empty split is an error.
func (a *arrangement) divide(splits []Split, counts []int64, units int) error {
	var empty []string
	for i, split := range splits {
		if counts[i] == 0 {
			empty = append(empty, split.Name)
		}
		a.Splits = append(a.Splits, SetSplit{Split: split, Frames: counts[i], Files: (counts[i] + a.PerFile - 1) / a.PerFile})
	}
	if len(empty) == 0 {
		return nil
	}
	if a.Divider.By == BySample {
		var frames int64
		for _, n := range counts {
			frames += n
		}
		units = int(frames)
	}
	return &EmptySplitError{By: a.Divider.By, Units: units, Splits: empty}
}

// prefix is what a frame's key begins with where the stream's name will not do.
func (a *arrangement) prefix(s *dataset.Sample) string {
	if a.Ambiguous[s.Series] {
		return s.Series
	}
	return ""
}

func (a *arrangement) member(s *dataset.Sample) container.Member {
	return container.Member{Size: int(s.Size), TensorSize: int(s.TensorSize), Prefix: a.prefix(s), Frame: frame.Frame{
		Stream: s.Stream, StreamARN: s.StreamARN, SampleMs: s.SampleMs, ImageMs: s.ImageMs,
		Format: s.Format, Width: s.Width, Height: s.Height, Labels: s.Labels,
	}}
}

// place is where a frame of a packed set is.
type place struct {
	file int64 // number among the files of all splits, from 0
	slot int32 // within the file, from 0
}

// places yields the frames of a group, and the place of each.
func (a *arrangement) places(samples []dataset.Sample, starts []int64) iter.Seq2[*dataset.Sample, place] {
	return func(yield func(*dataset.Sample, place) bool) {
		orders, firsts := make([]permutation, len(a.Splits)), make([]int64, len(a.Splits)+1)
		for i, split := range a.Splits {
			firsts[i+1] = firsts[i] + split.Files
			if a.Seed != nil {
				orders[i] = newPermutation(split.Frames, *a.Seed, split.Name)
			}
		}
		ranks := slices.Clone(starts)
		for s := range a.Selection.of(samples) {
			split := a.Divider.Of[a.Divider.unit(s.Stream, s.SampleMs)]
			at := ranks[split]
			ranks[split]++
			if a.Seed != nil {
				at = orders[split].at(at)
			}
			if !yield(s, place{firsts[split] + at/a.PerFile, int32(at % a.PerFile)}) {
				return
			}
		}
	}
}

// missingSamples counts what was asked for and is in no receipt that could be read.
func missingSamples(ctx context.Context, book *ledger.Ledger, selected selection, groups []*groupCount) (int64, error) {
	requests, err := book.Requests(ctx)
	var damaged *ledger.DamagedError
	if err != nil && !errors.As(err, &damaged) {
		return 0, err
	}
	asked, have := make(map[frame.Series][]frame.Span), make(map[frame.Series][]frame.Span)
	for _, span := range requests {
		if part := selected.span(span); part.Samples > 0 {
			asked[span.Series] = append(asked[span.Series], part)
		}
	}
	for _, g := range groups {
		for _, span := range g.spans {
			have[span.Series] = append(have[span.Series], span)
		}
	}
	var missing int64
	for series, spans := range asked {
		missing += frame.Count(frame.Minus(frame.Union(spans), frame.Union(have[series])))
	}
	return missing, nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
