package dataset

import (
	"context"
	pathpkg "path"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/store"
)

// findStrays reports what no receipt knows. A shard of samples that were asked for and
// are recorded nowhere can be recorded, where it is whole, and is else unfinished work, and
// will be fetched again. All else is foreign, and a loader that reads every file reads it, too.
func (v *verifier) findStrays(ctx context.Context) error {
	strays, err := v.ledger.Strays(ctx)
	if err != nil {
		return err
	}
	for _, path := range strays {
		if strings.HasPrefix(path, "index/") && strings.HasSuffix(path, ".parquet") {
			v.report.Foreign++
			v.found.harm("%s: not a file of the dataset, but whoever reads index/*/*.parquet reads it: move it away (repair "+
				"leaves it)", outside.Name(path))
			continue
		}
		v.found.note("%s: not a file of the ledger; it does no harm", outside.Name(path))
	}
	const root = "shards"
	files, ids, err := v.store.List(ctx, root)
	if err != nil {
		return err
	}
	for _, name := range files {
		v.found.foreign(&v.report, root+"/"+name)
	}
	series, err := v.ledger.Series(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		files, folders, err := v.store.List(ctx, root+"/"+id)
		if err != nil {
			return err
		}
		known := make(map[string]bool)
		for len(series) > 0 && series[0].ID() < id {
			series = series[1:]
		}
		var of frame.Series
		if len(series) > 0 && series[0].ID() == id {
			of = series[0]
			shards, _, err := v.ledger.Shards(ctx, of, nil)
			if err != nil {
				return err
			}
			for _, shard := range shards {
				known[v.format.Path(shard.Span)] = true
			}
		}
		for _, name := range append(files, folders...) {
			if path := root + "/" + id + "/" + name; !known[path] {
				v.stray(of, path, name)
			}
		}
	}
	return v.scanUnknown(ctx)
}

// scanUnknown finds which of the shards without a receipt can be recorded.
func (v *verifier) scanUnknown(ctx context.Context) error {
	by := "repair"
	if v.isExact() {
		by = "repair, index or the next backfill"
	}
	spans := v.unknown
	v.unknown = nil
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(v.parallel())
	for _, span := range spans {
		group.Go(func() error {
			path := v.format.Path(span)
			_, err := v.scan(groupCtx, span)
			switch {
			case err == nil:
				v.found.note("%s: no receipt knows this shard: %s takes it in", path, by)
				v.mu.Lock()
				defer v.mu.Unlock()
				v.unknown = append(v.unknown, span)
			case !store.IsDamage(groupCtx, err):
				return err
			default:
				v.unfinished(path)
			}
			return nil
		})
	}
	return group.Wait()
}

func (v *verifier) unfinished(path string) {
	v.found.note("%s: no receipt knows this shard; it is unfinished work and does no harm", outside.Name(path))
}

// stray looks at a shard without a receipt; the series is the zero one where it
// is not known.
func (v *verifier) stray(series frame.Series, path, name string) {
	span, ok := spanNamed(series, name)
	if !ok || v.format.Path(span) != path {
		v.found.foreign(&v.report, path)
		return
	}
	c := v.cover.of(series)
	unrecorded := frame.Minus([]frame.Span{span}, c.recorded)
	missing := frame.Count(unrecorded) - frame.Count(frame.Minus(unrecorded, frame.Union(c.asked)))
	switch {
	case missing == span.Samples && !span.Crosses(int64(v.desc.ShardSamples)):
		v.unknown = append(v.unknown, span)
	case missing > 0:
		v.unfinished(path)
	case len(unrecorded) > 0:
		v.found.foreign(&v.report, path)
	case v.spoiled != nil:
		v.useless = append(v.useless, span)
	default:
		v.report.Foreign++
		v.report.Repairable = true
		v.found.harm("%s: no receipt knows this shard, and others have its samples: "+
			"loaders that read every file find them twice: repair removes it", outside.Name(path))
	}
}

// foreign notes a file that is not the dataset's. Loaders pass over hidden ones.
func (f *findings) foreign(report *Report, path string) {
	if strings.HasPrefix(pathpkg.Base(path), ".") {
		f.note("%s: not a file of the dataset; it does no harm", outside.Name(path))
		return
	}
	report.Foreign++
	f.harm("%s: not a file of the dataset: no request and no receipt names it, but loaders that read every file of "+
		"shards/ "+
		"read it: move it away (repair leaves it)", outside.Name(path))
}

// findForeign looks at what lies in the folder of a shard, besides the files that were
// opened.
func (v *verifier) findForeign(shard *stored, part *Report) error {
	names, err := shard.strays()
	for _, name := range names {
		v.found.foreign(part, shard.path+"/"+name)
	}
	return err
}

// openedBefore is a shard whose pictures were read back before.
func (v *verifier) openedBefore(ctx context.Context, receipt *framepb.Receipt) (*stored, error) {
	shard := &stored{ctx: ctx, store: v.store, path: v.format.Path(receipt.Span()), opened: make(map[string]bool)}
	blobs, err := v.format.Positions(receipt)
	for i := range blobs {
		shard.opened[blobs[i].Name] = true
	}
	return shard, err
}

// spanNamed reads the name of a shard, whatever its extension.
func spanNamed(series frame.Series, name string) (frame.Span, bool) {
	name, _, _ = strings.Cut(name, ".")
	instant, count, _ := strings.Cut(name, "-")
	ms, err := frame.ParseInstant(instant)
	if err != nil || series.IntervalMs == 0 {
		return frame.Span{}, false
	}
	samples, err := strconv.ParseInt(count, 10, 64)
	return frame.Span{Series: series, First: series.Index(ms), Samples: samples},
		err == nil && ms >= 0 && 0 < samples && samples <= MaxShardSamples
}
