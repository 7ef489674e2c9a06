//go:build e2e

package dataset_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/pack"
)

// archiveOfTwo is frames of two streams, and gaps.
func archiveOfTwo(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ds, err := dataset.Create(t.Context(), dir, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := ds.NewWriter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	yard := shardtest.Door
	yard.StreamName = "yard"
	for _, shard := range []frame.Shard{
		shardtest.Shard(shardtest.Door, 0, "ffnfffff"), shardtest.Shard(shardtest.Door, 16, "fgffffdf"),
		shardtest.Shard(yard, 3, "ffffffffff"),
	} {
		if _, err := w.Write(t.Context(), shard); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// rowsOf makes the index of a dataset, and reads its only group.
func rowsOf(t *testing.T, dir string) []dataset.Sample {
	t.Helper()
	ds, err := dataset.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ds.Finish(t.Context(), dataset.FinishOptions{}); err != nil {
		t.Fatal(err)
	}
	index, err := ds.OpenIndex(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	rows, err := index.Read(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func packInto(t *testing.T, dir, place string, o pack.Options) {
	t.Helper()
	ds, err := dataset.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pack.NewPlan(t.Context(), ds, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Create(t.Context(), place); err != nil {
		t.Fatal(err)
	}
	p, s := beam.NewPipelineWithRoot()
	pack.Pack(s, pack.Params{Dir: dir, Place: place}, plan)
	ptest.RunAndValidate(t, p)
	if missing, err := plan.Finish(t.Context(), place); missing > 0 || err != nil {
		t.Fatalf("%d files are missing: %v", missing, err)
	}
}

// craftings are what somebody could make of the rows of an index.
var craftings = map[string]func(rows []dataset.Sample) []dataset.Sample{
	"a series outside":  each(func(s *dataset.Sample) { s.Series = "../../outside" }),
	"a stream outside":  each(func(s *dataset.Sample) { s.Stream = "../../outside" }),
	"a file outside":    each(func(s *dataset.Sample) { s.File = "../../outside" }),
	"a size of 2 GiB":   each(func(s *dataset.Sample) { s.Size = 1 << 31 }),
	"a size below 0":    each(func(s *dataset.Sample) { s.Size = -1 }),
	"an offset below 0": each(func(s *dataset.Sample) { s.Offset = -5 }),
	"an offset beyond":  each(func(s *dataset.Sample) { s.Offset = math.MaxInt64 }),
	"pixels below 0":    each(func(s *dataset.Sample) { s.Width, s.Height = -1, math.MinInt32 }),
	"a tensor of 2 GiB": each(func(s *dataset.Sample) { s.TensorFile, s.TensorSize = s.File, 1<<31 }),
	"a time elsewhere":  each(func(s *dataset.Sample) { s.SampleMs += 1 }),
	"an image time":     each(func(s *dataset.Sample) { s.ImageMs = math.MinInt64 }),
	"a format":          each(func(s *dataset.Sample) { s.Format = "../x" }),
	"labels":            each(func(s *dataset.Sample) { s.Labels = map[string]string{"class": "evil"} }),
	"no frame": each(func(s *dataset.Sample) {
		*s = dataset.Sample{Series: s.Series, Stream: s.Stream, SampleMs: s.SampleMs, Kind: ledger.Gap, Outcome: "X"}
	}),
	"no row":        func([]dataset.Sample) []dataset.Sample { return nil },
	"rows left out": func(rows []dataset.Sample) []dataset.Sample { return rows[3:] },
	"rows doubled":  func(rows []dataset.Sample) []dataset.Sample { return append(rows, rows[:4]...) },
	"pictures swapped": func(rows []dataset.Sample) []dataset.Sample {
		a, b := &rows[0], &rows[1]
		a.File, b.File, a.Offset, b.Offset, a.Size, b.Size, a.SHA256, b.SHA256 = b.File, a.File, b.Offset, a.Offset, b.Size,
			a.Size, b.SHA256, a.SHA256
		return rows
	},
}

func each(change func(s *dataset.Sample)) func(rows []dataset.Sample) []dataset.Sample {
	return func(rows []dataset.Sample) []dataset.Sample {
		for i := range rows {
			if rows[i].Kind == ledger.Frame {
				change(&rows[i])
			}
		}
		return rows
	}
}

// TestPackTrustsNoIndex: whatever index.parquet says, what is packed is what the
// receipts say, and nothing is written but in OUT.
func TestPackTrustsNoIndex(t *testing.T) {
	for _, format := range []string{"files", "webdataset"} {
		dir := archiveOfTwo(t)
		o := pack.Options{Format: format, SamplesPerFile: 6}
		place := filepath.Join(t.TempDir(), "set")
		packInto(t, dir, place, o)
		want := shardtest.Tree(t, place)
		rows := rowsOf(t, dir)
		for name, craft := range craftings {
			dataset.CraftIndex(t, dir, craft(append([]dataset.Sample(nil), rows...)))
			around, before := t.TempDir(), shardtest.Tree(t, dir)
			place := filepath.Join(around, "a", "b", "set")
			packInto(t, dir, place, o)
			got := make(map[string]string)
			for path, data := range shardtest.Tree(t, around) {
				if path, inside := strings.CutPrefix(path, "a/b/set/"); inside {
					if path != "" {
						got[path] = data
					}
				} else if path != "a/" && path != "a/b/" {
					t.Errorf("%s, %s: %s is outside of OUT", format, name, path)
				}
			}
			shardtest.EqualTrees(t, got, want, format+", "+name)
			shardtest.EqualTrees(t, shardtest.Tree(t, dir), before, "the dataset, "+name)
		}
	}
}
