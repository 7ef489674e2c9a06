package dataset

import (
	"reflect"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestLongestGapOverFiles: the catalog keeps of each file what the longest gap of a series may be
// made of, over the borders of files and into what is missing.
func TestLongestGapOverFiles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		files          []string
		asked          int64
		first, samples int64
	}{
		{[]string{"ffnn", "nnnn", "nfnn"}, 12, 2, 7},
		{[]string{"ffnn", "fnff", "nnnf"}, 12, 8, 3},
		{[]string{"fnnn", "nfnn"}, 11, 6, 5}, // three are missing
		{[]string{"nfnf", "fnnf", "fnfn"}, 12, 5, 2},
		{[]string{"ffff", "ffff"}, 8, 0, 0},
	} {
		dir := t.TempDir()
		if _, err := Create(t.Context(), dir, Options{}); err != nil {
			t.Fatal(err)
		}
		first := shardOf(door, 0, "f").Span.First
		asked := frame.Span{Series: door, First: first, Samples: test.asked}
		if err := opened(t, dir).Begin(t.Context(), asked); err != nil {
			t.Fatal(err)
		}
		for i, outcomes := range test.files {
			write(t, dir, shardOf(door, int64(4*i), outcomes))
			seals(t, dir)
		}
		d := opened(t, dir)
		if _, err := d.Finish(t.Context(), FinishOptions{}); err != nil {
			t.Fatal(err)
		}
		counts, _, _, err := d.readCatalog(t.Context())
		if err != nil || len(counts) == 0 {
			t.Fatalf("%d files are in the catalog, %v", len(counts), err)
		}
		got, err := d.Tally(t.Context(), []frame.Span{asked})
		longest := ledger.Longest(got[door].Stretches)
		if err != nil || test.samples > 0 && longest.First != first+test.first || longest.Samples != test.samples {
			t.Errorf("%v: the longest is %+v, %v", test.files, longest, err)
		}
		plain, err := ledger.Open(dir).Tally(t.Context(), []frame.Span{asked})
		if err != nil || !reflect.DeepEqual(plain, got) {
			t.Errorf("%v: by the catalog it is %+v, by receipts %+v, %v", test.files, got, plain, err)
		}
	}
}
