//go:build e2e

package dataset

import (
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestBadAnswersPass: an object that comes back as it is not, once, is read again before
// it counts as damaged, whoever reads it, and nothing is taken away for it.
func TestBadAnswersPass(t *testing.T) {
	t.Parallel()
	shards := []frame.Shard{shardOf(door, 0, "fnfd"), shardOf(door, 4, "ffff")}
	spans := []frame.Span{shards[0].Span, shards[1].Span}
	for kind, body := range badAnswers {
		for _, format := range []string{"webdataset", "parquet", "files"} {
			t.Run(kind+" "+format, func(t *testing.T) {
				onNetworks(t, func(t *testing.T, where func(testing.TB) spot) {
					s := createAt(t, where, Options{Format: format})
					write(t, s.name, shards...)
					if _, err := opened(t, s.name).Finish(t.Context(), FinishOptions{}); err != nil {
						t.Fatal(err)
					}
					want := s.files(t)
					again := func() { s.front.Set(badOnce(s.front, body)) }
					again()
					tallies, err := ledger.Open(s.name).Tally(t.Context(), spans)
					if got := tallies[door]; err != nil || !got.Complete() || got.Frames != 6 {
						t.Errorf("Tally = %+v, %v", got, err)
					}
					again()
					if n, _, err := ledger.Open(s.name).Discard(t.Context(), spans...); err != nil || n != 0 {
						t.Errorf("Discard = %d, %v", n, err)
					}
					again()
					if asked, err := ledger.Open(s.name).Requests(t.Context()); err != nil || len(asked) != 1 {
						t.Errorf("Requests = %v, %v", asked, err)
					}
					again()
					if _, err := Open(t.Context(), s.name); err != nil {
						t.Errorf("Open: %v", err)
					}
					again()
					rows := 0
					for group, err := range opened(t, s.name).Samples(t.Context(), spans, true) {
						if err != nil {
							t.Errorf("Samples: %v", err)
						}
						rows += len(group.Samples)
					}
					if rows != 8 {
						t.Errorf("Samples yields %d samples of 8", rows)
					}
					again()
					if report := verify(t, s.name); !report.Complete || len(report.Problems) > 0 {
						t.Errorf("Verify = %+v", report)
					}
					again()
					report, err := opened(t, s.name).Repair(t.Context(), VerifyOptions{})
					if err != nil || !report.Complete || report.Repaired != 0 {
						t.Errorf("Repair = %+v, %v", report, err)
					}
					again()
					contents, err := opened(t, s.name).Finish(t.Context(), FinishOptions{})
					if err != nil || !contents.Complete || !contents.Card {
						t.Errorf("Catalog = %+v, %v", contents, err)
					}
					s.front.Set(nil)
					equalTrees(t, s.files(t), want, "after bad answers")
				})
			})
		}
	}
}
