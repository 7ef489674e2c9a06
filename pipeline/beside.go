package pipeline

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"github.com/kvsframes/kvsframes/io/dataset"
)

// hold makes the dataset, and holds it. Where another process backfills it, it waits as o says, or
// goes on beside it; a line says so.
func (o Options) hold(ctx context.Context) (*dataset.Dataset, *dataset.Hold, error) {
	ds, err := dataset.Create(ctx, o.Out, o.dataset())
	if err != nil {
		return nil, nil, begun(ctx, o.Out, err, openDataset, dataset.ErrNoDataset)
	}
	told := false
	held, err := ds.Hold(ctx, dataset.HoldOptions{Wait: o.Wait, Waiting: func(other dataset.Holder) {
		if !told {
			log.Warnf(ctx, "%q is being backfilled by %v: waiting up to %v for its end", o.Out, other, o.Wait)
		}
		told = true
		if o.Progress != nil {
			o.Progress(Progress{WaitingFor: &other})
		}
	}})
	if err == nil && held.Beside != nil {
		log.Warnf(ctx, "%q is being backfilled by %v: this run goes on beside it, and what both have in hand is paid for "+
			"twice", o.Out, *held.Beside)
	}
	return ds, held, err
}
