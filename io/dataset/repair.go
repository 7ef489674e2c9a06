package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// Repair verifies a dataset and then takes away what is damaged, so that the next
// backfill fetches that, and nothing else, again:
//
//   - a shard with a picture that is missing or not what was recorded, and one
//     whose receipt is damaged, go with their receipts;
//   - a damaged request is written anew from its name, or one under another's name
//     under its own; it goes where neither tells what it asked for, or no other file
//     of which series it is;
//   - of samples in more than one receipt the one that [ledger.Ledger.Tally] counts
//     stays. A shard that has none of those goes; one that has some is written anew
//     with these alone;
//   - a shard without a receipt goes where others have all of its samples;
//   - an index that is damaged, or not that of the receipts, goes.
//
// A shard's folder that holds a file of somebody's, or that is behind a link, is not
// taken away: that is an error, which names the file.
//
// All else stays: shards with FAILED gaps, which the next backfill fetches anyway,
// what no receipt knows, which may be what a backfill is about to record, and files
// that are not the dataset's, but those in the folder of a shard that goes.
//
// Nothing is touched where Verify would return an error, nor a picture that the
// file system does not give away, and what is damaged is read a second time before
// it goes. Killed on the way, it leaves a dataset that Repair mends. It may run
// beside backfills: at worst one of them finishes a shard between that second look
// and the removal, and that shard is fetched again.
//
// Where there is something to repair, the dataset's index goes first, as with every
// [Writer]: the next backfill, or [Dataset.Finish], makes it again.
//
// The report is of the dataset as it is then, and of what was done; pictures that
// were found whole are not read again for it. The errors are those of Verify, or
// say what could not be taken away: what was done by then stays done.
func (d *Dataset) Repair(ctx context.Context, options VerifyOptions) (Report, error) {
	v := newVerifier(d, options)
	v.spoiled = make(map[ledger.Entry]bool)
	if err := v.run(ctx); err != nil {
		return Report{}, fmt.Errorf("verifying the dataset %q: %w", d.dir, err)
	}
	if v.nothingToRepair() {
		return v.result(), d.Sweep(ctx)
	}
	writer, err := d.NewWriter(ctx)
	if err != nil {
		return Report{}, err
	}
	report, err := (&repairer{found: v, writer: writer}).run(ctx)
	if problem := d.Sweep(ctx); err == nil {
		err = problem
	}
	if err != nil {
		return Report{}, fmt.Errorf("repairing the dataset %q: %w", d.dir, err)
	}
	return report, nil
}

// nothingToRepair says that no writer is needed: one would remove the index.
func (v *verifier) nothingToRepair() bool {
	for _, c := range v.cover {
		if c.samples != frame.Count(c.recorded) {
			return false
		}
	}
	return len(v.damages)+len(v.spoiled)+len(v.useless) == 0 && !v.report.Stale
}

type repairer struct {
	found  *verifier
	writer *Writer
	done   findings // what was repaired
}

func (r *repairer) run(ctx context.Context) (Report, error) {
	if err := r.mend(ctx); err != nil {
		return Report{}, err
	}
	v := r.found
	if r.done.harmless.seen > 0 {
		v = newVerifier(v.Dataset, VerifyOptions{})
		v.spoiled = make(map[ledger.Entry]bool)
		v.trusts = func(entry ledger.Entry) bool { _, not := r.found.spoiled[entry]; return !not }
		if err := v.run(ctx); err != nil {
			return Report{}, err
		}
	}
	err := r.all(ctx, len(v.useless), func(ctx context.Context, i int) error { return r.useless(ctx, v.useless[i]) })
	report := v.result()
	report.Repaired, report.Repairs = int64(r.done.harmless.seen), r.done.list()
	return report, err
}

// mend takes away what is damaged first: only what is whole decides which of the
// samples that are there twice stay.
func (r *repairer) mend(ctx context.Context) error {
	var requests, receipts []*ledger.DamagedError
	for _, damage := range r.found.damages {
		if isRequest(damage) {
			requests = append(requests, damage)
		} else {
			receipts = append(receipts, damage)
		}
	}
	if err := r.requests(ctx, requests); err != nil {
		return err
	}
	err := r.all(ctx, len(receipts), func(ctx context.Context, i int) error { return r.receipt(ctx, receipts[i]) })
	if err != nil {
		return err
	}
	var spoiled []ledger.Entry
	for entry, readable := range r.found.spoiled {
		if readable {
			spoiled = append(spoiled, entry)
		}
	}
	if err := r.all(ctx, len(spoiled), func(ctx context.Context,
		i int,
	) error {
		return r.shard(ctx, spoiled[i])
	}); err != nil {
		return err
	}
	for series, c := range r.found.cover {
		if c.samples == frame.Count(c.recorded) {
			continue
		}
		if err := r.duplicates(ctx, series); err != nil {
			return err
		}
	}
	if r.found.report.Stale && r.done.harmless.seen == 0 { // else it goes without saying
		r.done.note("%s: removed: indexing the dataset, or the next backfill, writes it again", indexFile) // by NewWriter
	}
	return nil
}

// all does something for 0 to n-1, for as many at once as shards are read.
func (r *repairer) all(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.found.parallel())
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(ctx, i)
		})
	}
	return group.Wait()
}

func (r *repairer) requests(ctx context.Context, damages []*ledger.DamagedError) error {
	for _, damage := range damages {
		done := "removed"
		if damage.Entry.Span.Samples > 0 {
			done = "written anew"
		}
		r.done.note("%s: %s: %v", damage.Path, done, damage.Err)
	}
	return r.found.ledger.MendRequests(ctx, damages...)
}

func (r *repairer) receipt(ctx context.Context, damage *ledger.DamagedError) error {
	if damage.Entry.Span.Samples == 0 {
		r.done.note("%s: removed: %v", damage.Path, damage.Err)
		return r.found.store.Remove(ctx, damage.Path)
	}
	receipt, err := r.found.ledger.Read(ctx, damage.Entry)
	var still *ledger.DamagedError
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && checkPath(r.found.format, receipt) == nil:
		return nil
	case err != nil && !errors.As(err, &still):
		return err
	}
	r.done.note("%s: removed with its pictures: %v", damage.Path, damage.Err)
	return r.writer.forget(ctx, damage.Entry.Span)
}

func (r *repairer) shard(ctx context.Context, entry ledger.Entry) error {
	receipt, err := r.read(ctx, entry)
	if receipt == nil {
		return err
	}
	var part Report
	var why findings
	readable, err := r.found.readPictures(ctx, receipt, &part, &why)
	if err != nil || !readable || part.Missing+part.Corrupt == 0 {
		return err
	}
	r.done.note("%s; removed with its receipt", why.list()[0])
	return r.writer.forget(ctx, entry.Span)
}

// read returns a receipt that was whole, or nil where it no longer is there, or
// whole: that is for the next repair.
func (r *repairer) read(ctx context.Context, entry ledger.Entry) (*framepb.Receipt, error) {
	receipt, err := r.found.ledger.Read(ctx, entry)
	var damaged *ledger.DamagedError
	if errors.Is(err, fs.ErrNotExist) || errors.As(err, &damaged) {
		return nil, nil
	}
	return receipt, err
}

// duplicates leaves each sample of a series in one receipt.
func (r *repairer) duplicates(ctx context.Context, series frame.Series) error {
	entries, err := r.found.ledger.Have(ctx, series)
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(entry ledger.Entry) bool { _, not := r.found.spoiled[entry]; return not })
	spans := make([]frame.Span, len(entries))
	for i, entry := range entries {
		spans[i] = entry.Span
	}
	counted := make(map[ledger.Entry][]frame.Span)
	for _, claim := range ledger.Claims(entries, frame.Union(spans)) {
		counted[claim.Entry] = claim.Spans
	}
	// What goes is out of the way before a shard of the same name may be written.
	err = r.all(ctx, len(entries), func(ctx context.Context, i int) error {
		if len(counted[entries[i]]) > 0 {
			return nil
		}
		r.done.note("%s: removed with its receipt: others have all of its samples", r.found.format.Path(entries[i].Span))
		return r.writer.forget(ctx, entries[i].Span)
	})
	for _, entry := range entries {
		if n := frame.Count(counted[entry]); err == nil && 0 < n && n < entry.Span.Samples {
			err = r.trim(ctx, entry, counted[entry])
		}
	}
	return err
}

// trim writes what counts of a shard as shards of their own, and removes it.
func (r *repairer) trim(ctx context.Context, entry ledger.Entry, counted []frame.Span) error {
	receipt, err := r.read(ctx, entry)
	if receipt == nil {
		return err
	}
	shard, err := r.readShard(ctx, receipt)
	if err != nil {
		return err
	}
	for _, span := range counted {
		if _, err := r.writer.Write(ctx, cut(shard, span)); err != nil {
			return err
		}
	}
	r.done.note("%s: written anew without the samples that others have", r.found.format.Path(entry.Span))
	return r.writer.forget(ctx, entry.Span)
}

// readShard returns a shard as it was written.
func (r *repairer) readShard(ctx context.Context, receipt *framepb.Receipt) (frame.Shard, error) {
	shard := frame.Shard{Span: receipt.Span(), Transforms: receipt.Transforms}
	series := shard.Span.Series
	for outcome := range ledger.Outcomes(receipt) {
		switch at := series.At(outcome.Index); outcome.Kind {
		case ledger.Gap:
			shard.Gaps = append(shard.Gaps, frame.Gap{SampleMs: at, Reason: outcome.Reason, Cause: outcome.Cause})
		case ledger.Drop:
			shard.Drops = append(shard.Drops, frame.Drop{SampleMs: at, Reason: outcome.Reason})
		}
	}
	for _, m := range container.MembersOf(receipt) {
		shard.Frames = append(shard.Frames, m.Frame)
	}
	there := &stored{ctx: ctx, store: r.found.store, path: r.found.format.Path(shard.Span)}
	err := store.Twice(there.store, func() error {
		for blob, err := range there.blobs(r.found.format, receipt) {
			if err != nil {
				return fmt.Errorf("%s changed while it was repaired: %w", there.path, err)
			}
			*container.DataOf(&shard.Frames[blob.Frame], blob.Tensor) = slices.Clone(blob.Data)
		}
		return nil
	}, func(err error) bool { return store.IsDamage(ctx, err) })
	return shard, err
}

// cut returns the shard of some of another one's samples.
func cut(shard frame.Shard, span frame.Span) frame.Shard {
	from, end := span.Series.At(span.First), span.Series.At(span.End())
	outside := func(ms int64) bool { return ms < from || ms >= end }
	return frame.Shard{
		Span: span, Transforms: shard.Transforms,
		Frames: slices.DeleteFunc(slices.Clone(shard.Frames), func(f frame.Frame) bool { return outside(f.SampleMs) }),
		Gaps:   slices.DeleteFunc(slices.Clone(shard.Gaps), func(g frame.Gap) bool { return outside(g.SampleMs) }),
		Drops:  slices.DeleteFunc(slices.Clone(shard.Drops), func(d frame.Drop) bool { return outside(d.SampleMs) }),
	}
}

// useless removes a shard without a receipt.
func (r *repairer) useless(ctx context.Context, span frame.Span) error {
	if receipt, err := r.found.ledger.Ask(ctx, span); err != nil || receipt != nil {
		return err
	}
	r.done.note("%s: removed: no receipt knows it, and others have all of its samples", r.found.format.Path(span))
	return r.writer.clearAway(ctx, span)
}
