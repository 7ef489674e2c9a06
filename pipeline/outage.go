package pipeline

import (
	"context"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// outage returns why a job got nothing that kept going all the same: the cause of the first sample
// that FAILED for a reason that may pass by itself. It is empty where there is none.
func outage(ctx context.Context, book *ledger.Ledger, missing []frame.Span) (cause string, err error) {
	for series, spans := range frame.BySeries(missing) {
		shards, _, err := book.Shards(ctx, series, frame.Union(spans))
		if err != nil {
			return "", err
		}
		for _, shard := range shards {
			if !shard.Failed {
				continue
			}
			receipt, err := book.Read(ctx, shard.Entry)
			if err != nil {
				return "", err
			}
			for _, gap := range receipt.Gaps {
				if gap.Reason == frame.Failed && gap.Cause != "" && kindOfText(gap.Cause).Passes() {
					return gap.Cause, nil
				}
			}
		}
	}
	return "", nil
}
