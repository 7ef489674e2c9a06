package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// Repair verifies a dataset and then takes away what is damaged, so that the next
// backfill fetches that, and nothing else, again:
//
//   - a shard with a picture that is missing or not what was recorded goes with its
//     receipt;
//   - a file of receipts that is damaged goes. A sealed one that is damaged or lost is made again
//     from the index, where that has its receipts; so is a younger one that an older one has taken
//     the place of, if the pictures bear it out. Other shards that no receipt knows, of samples
//     that were asked for, are recorded by what their files say, if they are whole;
//   - a damaged request is written anew from its name, or one under another's name
//     under its own; it goes where neither tells what it asked for, or no other file
//     of which series it is;
//   - of samples in more than one receipt the one that [ledger.Ledger.Tally] counts
//     stays. A shard that has none of those goes; one that has some is written anew
//     with these alone;
//   - a shard without a receipt goes where others have all of its samples;
//   - a file of sealed receipts whose rows are not what its receipts say is written anew, and so
//     is a file of the index that is not what they say; a catalog that says of files what they
//     do not say goes.
//
// A shard's folder that holds a file of somebody's, or that is behind a link, is not
// taken away: that is an error, which names the file.
//
// All else stays: shards with FAILED gaps, which the next backfill fetches anyway,
// what no receipt knows and is not whole, and files that are not the dataset's, but those in
// the folder of a shard that goes.
//
// Nothing is touched where Verify would return an error, nor a picture that the
// file system does not give away, and what is damaged is read a second time before
// it goes. Killed on the way, it leaves a dataset that Repair mends. It may run
// beside backfills: at worst one of them finishes a shard between that second look
// and the removal, and that shard is fetched again.
//
// What was taken away leaves the index, too.
//
// The report is of the dataset as it is then, and of what was done; pictures that
// were found whole are not read again for it. The errors are those of Verify, or
// say what could not be taken away: what was done by then stays done.
func (d *Dataset) Repair(ctx context.Context, options VerifyOptions) (Report, error) {
	if options.scope() != "" {
		return Report{}, fault.Errorf("repairing the dataset %q: everything must be read back: leave %s and %s out", d.dir,
			fault.Name("Since"), fault.Name("Books"))
	}
	// Of sealed receipts that say different things of a shard, as an older copy of a dataset has
	// them, sealing finds out which holds.
	all, err := d.sealWhere(ctx, func(files ledger.Files) bool { return !areApart(files.Sealed) })
	if err != nil {
		return Report{}, fmt.Errorf("repairing the dataset %q: %w", d.dir, err)
	}
	v := newVerifier(d, options)
	done := new(findings)
	if err := v.reindexOlder(ctx, all, done); err != nil {
		return Report{}, fmt.Errorf("repairing the dataset %q: %w", d.dir, err)
	}
	v.spoiled = make(map[ledger.Entry]bool)
	if err := v.run(ctx); err != nil {
		return Report{}, fmt.Errorf("verifying the dataset %q: %w", d.dir, err)
	}
	if done.harmless.seen == 0 && v.nothingToRepair() {
		return v.result(), d.Sweep(ctx)
	}
	writer, err := d.NewWriter()
	if err != nil {
		return Report{}, err
	}
	report, err := (&repairer{found: v, writer: writer, done: done}).run(ctx)
	if problem := d.Sweep(ctx); err == nil {
		err = problem
	}
	if err != nil {
		return Report{}, fmt.Errorf("repairing the dataset %q: %w", d.dir, err)
	}
	return report, nil
}

// nothingToRepair says that no writer is needed.
func (v *verifier) nothingToRepair() bool {
	for _, c := range v.cover {
		if c.samples != frame.Count(c.recorded) {
			return false
		}
	}
	return len(v.damages)+len(v.spoiled)+len(v.useless)+len(v.unknown)+len(v.stale)+len(v.unindexed) == 0 && !v.badCatalog
}

type repairer struct {
	found  *verifier
	writer *Writer
	done   *findings // what was repaired
}

func (r *repairer) run(ctx context.Context) (Report, error) {
	if err := r.mend(ctx); err != nil {
		return Report{}, err
	}
	// Readers must not find rows of what is gone.
	if _, err := r.found.sealWhere(ctx, func(files ledger.Files) bool { return len(files.Void) > 0 }); err != nil {
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
	if r.found.badCatalog {
		r.done.note("%s: removed: indexing the dataset, or the next backfill, writes it again", catalogFile)
		if err := r.found.store.Remove(ctx, catalogFile); err != nil {
			return err
		}
	}
	for _, file := range r.found.stale {
		if err := r.sealed(ctx, file); err != nil {
			return err
		}
	}
	if err := r.adopt(ctx); err != nil {
		return err
	}
	for _, block := range r.found.unindexed {
		if err := r.index(ctx, block); err != nil {
			return err
		}
	}
	return nil
}

// index writes the file of a block in the index anew, unless sealing the block will do it.
func (r *repairer) index(ctx context.Context, block frame.Span) error {
	files, err := r.found.ledger.FilesIn(ctx, block)
	if err != nil || len(files.Loose) > 0 {
		return err
	}
	r.done.note("%s: written anew from sealed receipts", ledger.IndexPath(block))
	return r.found.index(ctx, block, nil, nil)
}

// adopt records shards that no receipt knows any more, after what may have left one alone with
// its samples.
func (r *repairer) adopt(ctx context.Context) error {
	var missing [][]frame.Span
	for series, c := range r.found.cover {
		files, err := r.found.ledger.Files(ctx, series)
		if err != nil {
			return err
		}
		missing = append(missing, frame.Minus(frame.Union(c.asked), files.Recorded()))
	}
	missing, err := r.found.restore(ctx, missing)
	if err != nil {
		return err
	}
	adopted, err := r.found.Dataset.adopt(ctx, missing...)
	for _, span := range adopted {
		r.done.note("%s: recorded anew: no receipt knew it", r.found.format.Path(span))
	}
	return err
}

// sealed writes a file of sealed receipts anew.
func (r *repairer) sealed(ctx context.Context, file ledger.Entry) error {
	receipts, err := r.found.ledger.Receipts(ctx, file)
	if err != nil {
		return notGone(notDamaged(err)) // the next repair's
	}
	r.done.note("%s: written anew from its receipts", file.Path())
	if _, err := r.found.putSealed(ctx, file, receipts); err != nil {
		return err
	}
	return r.found.index(ctx, ledger.BlockOf(file.Span, int(r.found.desc.ShardSamples)), nil, nil)
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
	if damage.Entry.Sealed != "" {
		_, err := r.found.ledger.Receipts(ctx, damage.Entry)
		if err != nil && notDamaged(err) == nil && !isUnreadable(err) {
			r.done.note("%s: removed: %v", damage.Path, damage.Err)
			return r.found.store.Remove(ctx, damage.Path)
		}
	}
	receipt, err := r.found.ledger.Read(ctx, damage.Entry)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && checkPath(r.found.format, receipt) == nil:
		return nil
	case isUnreadable(err):
		return nil
	case notDamaged(err) != nil:
		return err
	}
	r.done.note("%s: removed: %v", damage.Path, damage.Err)
	return r.found.ledger.Remove(ctx, damage.Entry.Span)
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
	return r.writer.forgetSpoiled(ctx, entry.Span)
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
	shards, _, err := r.found.ledger.Shards(ctx, series, nil)
	if err != nil {
		return err
	}
	var entries []ledger.Entry
	var spans []frame.Span
	for _, shard := range shards {
		if _, not := r.found.spoiled[shard.Entry]; !not {
			entries, spans = append(entries, shard.Entry), append(spans, shard.Span)
		}
	}
	counted := make(map[frame.Span][]frame.Span) // by shard: it may have two receipts
	for _, claim := range ledger.Claims(entries, frame.Union(spans)) {
		counted[claim.Entry.Span] = append(counted[claim.Entry.Span], claim.Spans...)
	}
	entries = slices.CompactFunc(entries, func(a, b ledger.Entry) bool { return a.Span == b.Span })
	// What goes is out of the way before a shard of the same name may be written.
	err = r.all(ctx, len(entries), func(ctx context.Context, i int) error {
		if len(counted[entries[i].Span]) > 0 {
			return nil
		}
		r.done.note("%s: removed with its receipt: others have all of its samples", r.found.format.Path(entries[i].Span))
		return r.writer.forget(ctx, entries[i].Span)
	})
	for _, entry := range entries {
		if n := frame.Count(counted[entry.Span]); err == nil && 0 < n && n < entry.Span.Samples {
			err = r.trim(ctx, entry, frame.Union(counted[entry.Span]))
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
	if err := r.writer.keep(ctx, receipt, counted); err != nil {
		return err
	}
	r.done.note("%s: written anew without the samples that others have", r.found.format.Path(entry.Span))
	return r.writer.forget(ctx, entry.Span)
}

// useless removes a shard without a receipt.
func (r *repairer) useless(ctx context.Context, span frame.Span) error {
	if receipt, err := r.found.ledger.Ask(ctx, span); err != nil || receipt != nil {
		return err
	}
	r.done.note("%s: removed: no receipt knows it, and others have all of its samples", r.found.format.Path(span))
	return r.writer.clearAway(ctx, span)
}
