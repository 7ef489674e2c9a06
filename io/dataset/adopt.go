package dataset

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/header"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// lostCause is the cause of gaps of which no receipt tells any more.
const lostCause = "the receipt of its shard was lost, and the shard has no frame of it"

// adopt records shards that are whole and in no receipt, so that their images are not asked
// for again. missing are samples that were asked for and are in no receipt, a list a series, as
// [frame.Union] returns it: where there are none it costs nothing. A sample that has no frame
// in its shard is a FAILED gap then, which the next backfill fetches. What is no shard of the
// dataset stays as it is, for Verify to tell. It returns what it has recorded.
func (d *Dataset) adopt(ctx context.Context, missing ...[]frame.Span) (adopted []frame.Span, err error) {
	var unknown []frame.Span
	for _, missing := range missing {
		if len(missing) == 0 {
			continue
		}
		some, err := d.shardsIn(ctx, missing)
		if err != nil {
			return nil, err
		}
		unknown = append(unknown, some...)
	}
	w := &Writer{of: d}
	var mu sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(d.parallel())
	for _, span := range unknown {
		group.Go(func() error {
			done, err := w.adopt(groupCtx, span)
			if done {
				mu.Lock()
				defer mu.Unlock()
				adopted = append(adopted, span)
			}
			return err
		})
	}
	return adopted, group.Wait()
}

// shardsIn lists the shards that have only samples of a region, and none in common: of those
// that overlap, the one that begins first, or else is longer.
func (d *Dataset) shardsIn(ctx context.Context, region []frame.Span) (spans []frame.Span, err error) {
	series := region[0].Series
	root := "shards/" + series.ID()
	files, folders, err := d.store.List(ctx, root)
	if errors.Is(err, syscall.ENOTDIR) { // for whoever writes to tell
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, name := range append(files, folders...) {
		span, ok := spanNamed(series, name)
		if ok && d.format.Path(span) == root+"/"+name && !span.Crosses(int64(d.desc.ShardSamples)) {
			spans = append(spans, span)
		}
	}
	slices.SortFunc(spans, func(a, b frame.Span) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(b.Samples, a.Samples))
	})
	var end int64
	return slices.DeleteFunc(spans, func(span frame.Span) bool {
		for len(region) > 0 && region[0].End() <= span.First {
			region = region[1:]
		}
		if len(region) == 0 || span.First < max(end, region[0].First) || span.End() > region[0].End() {
			return true
		}
		end = span.End()
		return false
	}), nil
}

// adopt records a shard by what its files say. It reports whether it could.
func (w *Writer) adopt(ctx context.Context, span frame.Span) (bool, error) {
	shard, err := w.of.scan(ctx, span)
	if err != nil {
		if store.IsDamage(ctx, err) {
			err = nil
		}
		return false, err
	}
	receipt, err := w.receiptOf(shard)
	if cmp.Or(err, w.check(shard)) != nil {
		return false, nil
	}
	// Another process may have written the shard just then, or replaced it since it was read: what
	// it records says more.
	if have, err := w.receiptOfEither(ctx, span); have != nil || err != nil {
		return false, err
	}
	return true, w.of.ledger.PutFound(ctx, receipt)
}

// scan reads a shard without its receipt. The error is one of the store, or says that what is
// there is no whole shard of the dataset.
func (d *Dataset) scan(ctx context.Context, span frame.Span) (frame.Shard, error) {
	shard := frame.Shard{Span: span, Transforms: d.desc.Transforms}
	there := &stored{ctx: ctx, store: d.store, path: d.format.Path(span)}
	list := func() ([]string, error) { return d.store.Under(ctx, there.path) }
	err := store.Twice(d.store, func() (err error) {
		shard.Frames, err = d.format.Scan(span, list, there.open)
		for i := 0; i < len(shard.Frames) && err == nil; i++ {
			err = checkFrame(&shard.Frames[i])
		}
		return err
	}, func(err error) bool { return store.IsDamage(ctx, err) })
	if err != nil {
		return shard, err
	}
	frames := shard.Frames
	for i := range span.Samples {
		at := span.Series.At(span.First + i)
		if len(frames) > 0 && frames[0].SampleMs == at {
			frames = frames[1:]
			continue
		}
		shard.Gaps = append(shard.Gaps, frame.Gap{SampleMs: at, Reason: frame.Failed, Cause: lostCause})
	}
	return shard, nil
}

// checkFrame looks at what decoders will see first.
func checkFrame(f *frame.Frame) error {
	if f.Tensor != nil {
		if err := header.CheckNPY(f.Tensor); err != nil {
			return err
		}
	}
	if f.Format == frame.NPY {
		return header.CheckNPY(f.Data)
	}
	return header.CheckPicture(f.Data, f.Format, int(f.Width), int(f.Height), "its shard")
}

// isExact reports whether the files of a shard hold all that its receipt says of frames. Where
// they do not, what a killed job left is fetched again, so that the dataset becomes what it
// would have been.
func (d *Dataset) isExact() bool {
	_, folder := d.format.(container.Folder)
	return !folder
}

// adoptLost adopts what was asked for of series that are surveyed, and lists them anew.
func (d *Dataset) adoptLost(ctx context.Context, all []ledger.Survey) error {
	missing := make([][]frame.Span, len(all))
	for i := range all {
		missing[i] = frame.Minus(frame.Union(all[i].Asked), all[i].Files.Recorded())
	}
	err := d.recover(ctx, missing)
	for i := range all {
		if err == nil && len(missing[i]) > 0 {
			all[i].Files, err = d.ledger.Files(ctx, all[i].Series)
		}
	}
	return err
}

// recover records again what was asked for and is in no receipt, a list a series: by the index, and
// then, where that is exact, by the files of shards.
func (d *Dataset) recover(ctx context.Context, missing [][]frame.Span) error {
	left, err := d.restore(ctx, missing)
	if err == nil && d.isExact() {
		_, err = d.adopt(ctx, left...)
	}
	return err
}

// lost returns the samples of spans that were asked for before and are in no receipt, a list a
// series; files are what the series have.
func (d *Dataset) lost(ctx context.Context, spans []frame.Span, files map[frame.Series]ledger.Files) (
	lost [][]frame.Span, err error,
) {
	of := frame.BySeries(spans)
	var mu sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(bucketReaders)
	for series, spans := range of {
		missing := frame.Minus(frame.Union(spans), files[series].Recorded())
		if len(missing) == 0 {
			continue
		}
		group.Go(func() error {
			asked, err := d.ledger.Asked(groupCtx, series)
			mu.Lock()
			defer mu.Unlock()
			lost = append(lost, frame.Common(missing, asked))
			return err
		})
	}
	return lost, group.Wait()
}
