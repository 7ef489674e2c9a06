package pack

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

func init() {
	beam.RegisterType(reflect.TypeFor[work]())
	beam.RegisterDoFn(&referFn{})
	register.Function3x1((&referFn{}).ProcessElement)
	beam.RegisterDoFn(&writeFn{})
	register.Function4x1((&writeFn{}).ProcessElement)
	register.Emitter2[int64, *framepb.References]()
	register.Emitter1[int64]()
	register.Iter1[*framepb.References]()
	register.Function1x0(forget)
}

// namespace is that of the metrics.
const namespace = "kvsframes/pack"

// Params are the parameters of Pack. Every worker must reach both places
// under these names; for a URL each worker finds credentials for itself.
type Params struct {
	Dir   string // of the dataset that the plan was made of
	Place string // of the set, where Plan.Create has made its description: elsewhere nothing is written
}

// Validate returns an error that names each field that is wrong.
func (p Params) Validate() error {
	var errs []error
	for _, field := range []struct{ name, value string }{{"Dir", p.Dir}, {"Place", p.Place}} {
		if field.value == "" {
			errs = append(errs, fault.New("pack.Params."+field.name, "empty", "a folder, or a place in a bucket"))
		} else if err := store.Check(field.value); err != nil {
			errs = append(errs, fault.Of("pack.Params."+field.name, ": %w", err))
		}
	}
	return errors.Join(errs...)
}

// Pack writes the files of a packed set, those that are there and whole aside.
// [Plan.Finish] reports whether all are. A picture that is not what was recorded
// fails its bundle, and so the job.
//
// References to frames go through a GroupByKey, pictures do not: they are read
// where they are written. A process writes a file a CPU at once, over all bundles
// in it, but at most 8. It holds the references of these files, fewer files where
// they have more than 200,000 frames, and at most 64 MiB of their pictures.
//
// It counts "files_packed", "frames_packed" and "bytes_packed" (of pictures) in
// the namespace "kvsframes/pack".
//
// Pack panics if p is not valid, or plan is not one that [NewPlan] returned: check
// [Params.Validate] where p comes from elsewhere.
func Pack(s beam.Scope, p Params, plan *Plan) {
	s = s.Scope("pack.Pack")
	if err := p.Validate(); err != nil {
		panic(fmt.Errorf("pack.Pack: %w", err))
	}
	if plan.empty() {
		panic(fmt.Errorf("pack.Pack: %w", errNoPlan))
	}
	works := beam.Reshuffle(s, beam.CreateList(s, plan.works))
	references := beam.ParDo(s, &referFn{Dir: p.Dir, Where: plan.where}, works)
	files := beam.ParDo(s, &writeFn{Params: p, Set: plan.Set, Where: plan.where}, beam.GroupByKey(s, references))
	// Prism (2.77) spins a core for every bundle of a stage that has no outputs.
	beam.ParDo0(s, forget, beam.Reshuffle(s, files))
}

func forget(int64) {}

// referFn tells each file of the set which frames of a group it has.
type referFn struct {
	Dir   string
	Where arrangement

	source *dataset.Dataset
}

func (fn *referFn) ProcessElement(ctx context.Context, work work, emit func(int64, *framepb.References)) error {
	if fn.source == nil {
		source, err := dataset.Open(ctx, fn.Dir)
		if err != nil {
			return err
		}
		fn.source = source
	}
	var samples []dataset.Sample
	for group, err := range fn.source.Samples(ctx, work.Spans, true) {
		if err != nil {
			return fmt.Errorf("reading the receipts of %s: %w", fn.Dir, err)
		}
		samples = group.Samples
		break // another one would be more than there was
	}
	if string(fn.Where.Selection.sum(samples)) != string(work.Sum) {
		return fmt.Errorf("the dataset %s has changed since this pack began: pack it again", fn.Dir)
	}
	batches := make(map[int64]*batch)
	for sample, at := range fn.Where.places(samples, work.Starts) {
		b := batches[at.file]
		if b == nil {
			b = new(batch)
			batches[at.file] = b
		}
		b.add(sample, at.slot, fn.Where.prefix(sample))
	}
	for _, file := range sortedKeys(batches) {
		emit(file, &batches[file].References)
	}
	return nil
}

// batch is references while they are collected.
type batch struct {
	framepb.References
	origins map[string]int32 // by file
}

func (b *batch) add(s *dataset.Sample, slot int32, prefix string) {
	origin, ok := b.origins[s.File]
	if !ok {
		if b.origins == nil {
			b.origins = make(map[string]int32)
		}
		origin = int32(len(b.Origins))
		b.origins[s.File] = origin
		b.Origins = append(b.Origins, &framepb.Origin{
			File: s.File, TensorFile: s.TensorFile, StreamName: s.Stream, StreamArn: s.StreamARN, Format: s.Format,
			KeyPrefix: prefix,
		})
	}
	b.Origin = append(b.Origin, origin)
	b.Slots = append(b.Slots, slot)
	b.SampleMs = append(b.SampleMs, s.SampleMs)
	b.ImageOffsetsMs = append(b.ImageOffsetsMs, s.ImageMs-s.SampleMs)
	b.Offsets = append(b.Offsets, s.Offset)
	b.Sizes = append(b.Sizes, int32(s.Size))
	b.Widths = append(b.Widths, s.Width)
	b.Heights = append(b.Heights, s.Height)
	b.Sha256 = append(b.Sha256, s.SHA256[:]...)
	if len(s.Labels) > 0 || len(b.Labels) > 0 {
		for len(b.Labels) < len(b.Slots)-1 {
			b.Labels = append(b.Labels, &framepb.Labels{})
		}
		b.Labels = append(b.Labels, &framepb.Labels{Values: s.Labels})
	}
	if s.TensorSize > 0 || len(b.TensorSizes) > 0 {
		b.TensorSizes = append(extended(b.TensorSizes, len(b.Slots)-1), int32(s.TensorSize))
		b.TensorOffsets = append(extended(b.TensorOffsets, len(b.Slots)-1), s.TensorOffset)
		b.TensorSha256 = append(extended(b.TensorSha256, (len(b.Slots)-1)*len(s.TensorSHA256)), s.TensorSHA256[:]...)
	}
}

// extended is a column with zeros for the frames before the first that has a value.
func extended[T any](column []T, n int) []T { return append(column, make([]T, n-len(column))...) }

// writeFn writes the files of a bundle, several at once.
type writeFn struct {
	Params Params
	Set    Set
	Where  arrangement

	packer               *packer
	bundle               bundle
	files, frames, bytes beam.Counter
}

// Setup refuses a place that is not that of the set: Plan.Create has not been called for it.
func (fn *writeFn) Setup(ctx context.Context) error {
	fn.files = beam.NewCounter(namespace, "files_packed")
	fn.frames = beam.NewCounter(namespace, "frames_packed")
	fn.bytes = beam.NewCounter(namespace, "bytes_packed")
	has, err := Open(ctx, fn.Params.Place)
	if errors.Is(err, ErrNoSet) {
		err = fmt.Errorf("%w: call Plan.Create for it before the job", err)
	}
	if err == nil {
		err = fn.Set.match(fn.Params.Place, has)
	}
	if err == nil {
		fn.packer, err = newPacker(fn.Params.Dir, fn.Params.Place, fn.Set.Format)
	}
	return err
}

func (fn *writeFn) ProcessElement(ctx context.Context, file int64, next func(**framepb.References) bool,
	_ func(int64),
) error {
	name, frames := fn.Where.file(file)
	leave, err := fn.bundle.enter(ctx, frames)
	if err != nil {
		return err
	}
	begun := false
	defer func() {
		if !begun { // also where next has panicked
			leave()
			fn.bundle.abandon()
		}
	}()
	var references []*framepb.References
	for r := (*framepb.References)(nil); next(&r); r = nil {
		references = append(references, r)
	}
	picks, err := picksOf(references, frames)
	if err != nil {
		return fmt.Errorf("packing %s: %w", name, err)
	}
	fn.bundle.write(leave, func(ctx context.Context) (writtenFile, error) {
		return fn.packer.pack(ctx, file, name, picks)
	})
	begun = true
	return nil
}

func (fn *writeFn) FinishBundle(ctx context.Context, emit func(int64)) error {
	written, err := fn.bundle.wait()
	if err != nil {
		return err
	}
	for _, f := range written {
		emit(f.number)
		if f.there {
			continue
		}
		fn.files.Inc(ctx, 1)
		fn.frames.Inc(ctx, f.frames)
		fn.bytes.Inc(ctx, f.bytes)
	}
	return nil
}

// Counts is what this process has packed so far, over all pipelines in it. It
// is for showing progress: what a job did is in the set.
type Counts struct {
	Files, Frames, Bytes int64 // written; Bytes of pictures
	There                int64 // files that were there already
}

var counters struct{ files, frames, bytes, there atomic.Int64 }

// Counters returns what this process has packed so far.
func Counters() Counts {
	c := &counters
	return Counts{Files: c.files.Load(), Frames: c.frames.Load(), Bytes: c.bytes.Load(), There: c.there.Load()}
}
