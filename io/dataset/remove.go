package dataset

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// Remove takes samples out of a dataset for good: their pictures, receipts and rows of the
// index, and that they were asked for. The dataset then has the bytes of one that never had
// them, but for one thing: where a step of its Transforms looks at the frames around a frame, as
// a dedupe does, what that has dropped stays dropped. A span may begin before what its series
// has, and end after it. What is not there is left out of the result, and is no error.
//
// A shard that has other samples, too, is written anew with those, first. Then receipts go, then
// pictures, also those that a killed writer has left without a receipt, then the requests; then
// Remove does what Finish does. So what is to go is on record until it has gone: a Remove that
// was killed is ended by the same Remove. Until then Verify may find samples twice, or missing.
//
// It may run beside jobs that write other streams, and must not run beside one that writes a
// series of the spans. Where a job that ends just then is slow to seal receipts of the spans, which
// an earlier job has left, they may come back, without pictures: Verify tells, and the same Remove
// ends it.
//
// The error says what prevents it. Nothing has gone where a request, or a sealed file, of
// one of the series is damaged, or a picture that is to stay: Repair first; nor where somebody
// keeps a file in the folder of a shard.
func (d *Dataset) Remove(ctx context.Context, spans ...frame.Span) (Removed, error) {
	removed, err := d.remove(ctx, spans)
	if err != nil {
		return Removed{}, fmt.Errorf("removing from the dataset %q: %w", d.dir, err)
	}
	return removed, nil
}

// Removable tells what Remove would remove, and changes nothing. It reads what Remove reads
// before it removes something, but no picture.
func (d *Dataset) Removable(ctx context.Context, spans ...frame.Span) (Removed, error) {
	all, err := d.removals(ctx, spans)
	if err != nil {
		return Removed{}, fmt.Errorf("looking for what is to be removed from the dataset %q: %w", d.dir, err)
	}
	return d.removed(all), nil
}

func (d *Dataset) remove(ctx context.Context, spans []frame.Span) (Removed, error) {
	writer, err := d.NewWriter()
	if err != nil {
		return Removed{}, err
	}
	var removed Removed
	for range removeTries {
		all, err := d.removals(ctx, spans)
		if err != nil {
			return Removed{}, err
		}
		if removed.Schema == "" {
			removed = d.removed(all)
		} else if len(all) == 0 {
			removed.Done = true
			return removed, nil
		}
		err = forAll(ctx, writer, all, (*removal).check, (*removal).seal, (*removal).keep, (*removal).takeAway)
		if err != nil {
			return Removed{}, err
		}
		if _, err := d.Finish(ctx, FinishOptions{}); err != nil {
			return Removed{}, err
		}
		for _, r := range all {
			d.removeFolders(r.series)
		}
	}
	return Removed{}, errors.New("it changes too often: does a job write what is to be removed?")
}

// removeTries bounds how often Remove looks for what is there: a process that was slow may have
// sealed receipts that it read before they were removed.
const removeTries = 4

// forAll takes one step after the other, each for all series: what is refused is refused before
// anything goes.
func forAll(ctx context.Context, w *Writer, all []*removal,
	steps ...func(*removal, context.Context, *Writer) error,
) error {
	for _, step := range steps {
		for _, r := range all {
			if err := step(r, ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeFolders removes the folders of a series that has nothing left.
func (d *Dataset) removeFolders(series frame.Series) {
	if d.folder == "" {
		return
	}
	for _, kind := range []string{"index", "sealed", "requests", "ledger"} {
		folder := filepath.Join(d.folder, kind)
		err := syscall.Rmdir(filepath.Join(folder, series.ID())) // unlike a removal, it leaves what has files, or is a link
		if disk.OrNone(err) != nil {
			return
		}
		syscall.Rmdir(folder)
	}
}

// removal is what is to be removed of one series.
type removal struct {
	*Dataset
	survey ledger.Survey
	series frame.Series
	gone   []frame.Span // what was asked to be removed, as frame.Union returns it, and the spans below
	files  ledger.Files
	shards []ledger.Shard // receipts that have some of the samples
	there  []frame.Span   // of the samples: asked for, recorded or in pictures
	tally  ledger.Tally   // of those that are asked for or recorded
	known  []frame.Span   // those

	unrecorded int64 // shards that have pictures and no receipt
}

// removals looks at each series of which something is to be removed.
func (d *Dataset) removals(ctx context.Context, spans []frame.Span) ([]*removal, error) {
	gone := make(map[frame.Series][]frame.Span)
	for _, span := range spans {
		if span.End() < span.First {
			return nil, fmt.Errorf("a span of %s begins with sample %d and has %d samples: it must end after that",
				span.Series.StreamName, span.First, span.Samples)
		}
		gone[span.Series] = append(gone[span.Series], span)
	}
	all, err := d.ledger.Survey(ctx)
	if err != nil {
		return nil, err
	}
	for series := range gone { // what a killed writer has left may be all that there is of one
		if !slices.ContainsFunc(all, func(s ledger.Survey) bool { return s.Series == series }) {
			all = append(all, ledger.Survey{Series: series})
		}
	}
	var removals []*removal
	for _, survey := range all {
		r := &removal{
			Dataset: d, survey: survey, series: survey.Series, gone: frame.Union(gone[survey.Series]),
		}
		if len(r.gone) == 0 {
			continue
		}
		if err := r.look(ctx); err != nil {
			return nil, err
		}
		if len(r.there) > 0 || slices.ContainsFunc(r.files.Void, r.has) {
			removals = append(removals, r)
		}
	}
	return removals, nil
}

// look finds what is there.
func (r *removal) look(ctx context.Context) (err error) {
	if r.files, err = r.ledger.Files(ctx, r.series); err != nil {
		return err
	}
	shards, damaged, err := r.ledger.Shards(ctx, r.series, r.gone)
	if err != nil {
		return err
	}
	r.shards = shards
	for _, damage := range slices.Concat(r.survey.Lost, damaged) {
		if span := damage.Entry.Span; span.Samples == 0 || r.has(span) {
			return fault.Errorf("%w: %s mends that first", damage, fault.Name("dataset.Repair"))
		}
	}
	known := slices.Clone(r.survey.Asked)
	for _, shard := range shards {
		known = append(known, shard.Span)
	}
	pictures, err := r.pictures(ctx)
	if err != nil {
		return err
	}
	recorded := make(map[frame.Span]bool)
	for _, span := range r.spans() {
		recorded[span] = true
	}
	r.unrecorded = 0
	for _, span := range pictures {
		if !recorded[span] {
			r.unrecorded++
		}
	}
	r.known = frame.Common(frame.Union(known), r.gone)
	r.there = frame.Common(frame.Union(append(known, pictures...)), r.gone)
	tallies, err := r.Tally(ctx, r.known)
	r.tally = tallies[r.series]
	return err
}

// has reports whether a span has samples that are to go.
func (r *removal) has(span frame.Span) bool { return frame.Count(r.left(span)) < span.Samples }

// left returns the samples of a span that stay.
func (r *removal) left(span frame.Span) []frame.Span { return frame.Minus([]frame.Span{span}, r.gone) }

// pictures lists the shards of which files are there that have samples that are to go, whether
// a receipt knows them or not.
func (r *removal) pictures(ctx context.Context) (spans []frame.Span, err error) {
	folder := "shards/" + r.series.ID()
	files, folders, err := r.store.List(ctx, folder)
	for _, name := range append(files, folders...) {
		span, ok := spanNamed(r.series, name)
		if ok && r.format.Path(span) == folder+"/"+name && r.has(span) {
			spans = append(spans, span)
		}
	}
	return spans, err
}

// removed tells of removals.
func (d *Dataset) removed(all []*removal) Removed {
	removed := Removed{Schema: RemovedSchema, Dataset: d.dir, Series: []RemovedSeries{}} // not nil: it is a list in JSON
	for _, r := range all {
		of := RemovedSeries{
			Series: r.series, ID: r.series.ID(), Stream: r.series.StreamName, StreamARN: r.series.StreamARN,
			RemovedCount: RemovedCount{
				Samples: r.tally.Samples, Frames: r.tally.Frames, Bytes: r.tally.Bytes, Unrecorded: r.unrecorded,
			},
		}
		for _, span := range r.spans() {
			of.Shards++
			if len(r.left(span)) > 0 {
				of.Cut++
			}
		}
		if n := len(r.known); n > 0 {
			of.FirstSample = frame.Clock(r.series.At(r.known[0].First))
			of.LastSample = frame.Clock(r.series.At(r.known[n-1].End() - 1))
		}
		removed.Series = append(removed.Series, of)
		removed.add(of.RemovedCount)
	}
	return removed
}

// spans lists the shards that have receipts, each once.
func (r *removal) spans() []frame.Span {
	spans := make([]frame.Span, len(r.shards))
	for i, shard := range r.shards {
		spans[i] = shard.Span
	}
	return slices.Compact(spans)
}

// check refuses to take away what is not the dataset's own.
func (r *removal) check(ctx context.Context, w *Writer) error {
	pictures, err := r.pictures(ctx)
	if err != nil {
		return err
	}
	for _, span := range append(r.spans(), pictures...) {
		if err := errors.Join(w.checkParents(span), w.checkOwn(span)); err != nil {
			return err
		}
	}
	return nil
}

// seal seals what is loose, so that no job that ends meanwhile begins to, and looks again.
func (r *removal) seal(ctx context.Context, _ *Writer) error {
	if err := r.Dataset.seal(ctx, []ledger.Survey{r.survey}, nil); err != nil {
		return err
	}
	return r.look(ctx)
}

// keep writes what stays of shards that are cut. Where a shard has two receipts, that one
// is kept which counts.
func (r *removal) keep(ctx context.Context, w *Writer) error {
	for i, shard := range r.shards {
		left := r.left(shard.Span)
		if len(left) == 0 || i > 0 && r.shards[i-1].Span == shard.Span {
			continue
		}
		receipt, err := r.ledger.Read(ctx, shard.Entry)
		if err == nil {
			err = w.keep(ctx, receipt, left)
		}
		if err != nil && store.IsDamage(ctx, err) {
			return fault.Errorf("%w: %s takes away what is damaged first", err, fault.Name("dataset.Repair"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// takeAway removes receipts, then pictures, then requests. What no request is on record for is
// asked for meanwhile, so that it is known where a kill leaves some of it.
func (r *removal) takeAway(ctx context.Context, w *Writer) error {
	if err := r.ledger.Request(ctx, r.there...); err != nil {
		return err
	}
	if err := r.takeReceipts(ctx); err != nil {
		return err
	}
	if err := r.ledger.Flush(r.series); err != nil {
		return err
	}
	if err := r.takePictures(ctx, w); err != nil {
		return err
	}
	return r.ledger.Withdraw(ctx, r.gone...)
}

// takeReceipts removes files of sealed receipts that go as a whole, where no other process has
// a reason to seal their block just now: those 1,000 shards cost one request. Of others the
// shards become void, which whoever seals respects, until the block is sealed the next time.
func (r *removal) takeReceipts(ctx context.Context) error {
	busy := make(map[frame.Span]bool)
	n := int(r.desc.ShardSamples)
	for _, entry := range r.files.Loose {
		busy[ledger.BlockOf(entry.Span, n)] = true
	}
	for _, span := range r.files.Void {
		busy[ledger.BlockOf(span, n)] = true
	}
	whole := make(map[string]bool)
	var old ledger.Files
	for _, file := range r.files.Sealed {
		block := ledger.BlockOf(file.Span, n)
		if busy[block] = busy[block] || len(r.left(block)) > 0; !busy[block] {
			old.Sealed = append(old.Sealed, file)
			whole[file.Sealed] = true
		}
	}
	var others []frame.Span
	for _, shard := range r.shards {
		if !whole[shard.Sealed] {
			others = append(others, shard.Span)
		}
	}
	blocks, _ := r.blocksIn(old.Sealed)
	for _, block := range blocks {
		if err := r.index(ctx, block, old.Sealed, nil); err != nil {
			return err
		}
	}
	if err := r.ledger.RemoveFiles(ctx, old); err != nil {
		return err
	}
	return r.each(ctx, slices.Compact(others), r.ledger.Remove)
}

// takePictures removes all files of shards that have samples that are to go.
func (r *removal) takePictures(ctx context.Context, w *Writer) error {
	pictures, err := r.pictures(ctx)
	if err != nil {
		return err
	}
	return r.each(ctx, pictures, w.clearAway)
}

func (r *removal) each(ctx context.Context, spans []frame.Span, do func(context.Context, frame.Span) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(bucketReaders)
	for _, span := range spans {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(ctx, span)
		})
	}
	return group.Wait()
}
