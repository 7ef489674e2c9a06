package kvsio_test

import (
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestShardSamplesFitTheLedger: shards that a ledger takes no receipts of are
// refused before anything is fetched.
func TestShardSamplesFitTheLedger(t *testing.T) {
	const most = ledger.MaxShardSamples
	for _, c := range []struct {
		samples int
		ledger  string
		want    string
	}{
		{most, "/data", ""},
		{most + 1, "", ""},
		{1_000_000, "", ""},
		{most + 1, "/data", "ShardSamples is 10001: it must be at most 10000 where Ledger is set"},
		{most + 1, "s3://bucket/data", "ShardSamples is 10001: it must be at most 10000 where Ledger is set"},
		{1_000_001, "/data", "ShardSamples is 1000001: it must be 1–1,000,000"},
		{1_000_001, "", "ShardSamples is 1000001: it must be 1–1,000,000"},
	} {
		err := kvsio.ReadParams{
			PlanParams: kvsio.PlanParams{ShardSamples: c.samples}, LedgerParams: kvsio.LedgerParams{Ledger: c.ledger},
		}.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d samples, ledger %q: %v, want %q", c.samples, c.ledger, err, c.want)
		}
	}
}
