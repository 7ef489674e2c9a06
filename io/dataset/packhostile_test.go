package dataset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/internal/own"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// craftIndex makes an index of rows that passes for the dataset's.
func craftIndex(t testing.TB, dir string, rows []Sample) {
	t.Helper()
	listing, err := ledger.Open(dir).Listing()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, indexFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := newIndexWriter(file, listing)
	if err := errors.Join(w.write(rows), w.close()); err != nil {
		t.Fatal(err)
	}
}

// craftings are what somebody could make of the rows of an index.
var craftings = map[string]func(rows []Sample) []Sample{
	"a series outside":  each(func(s *Sample) { s.Series = "../../outside" }),
	"a stream outside":  each(func(s *Sample) { s.Stream = "../../outside" }),
	"a file outside":    each(func(s *Sample) { s.File = "../../outside" }),
	"a size of 2 GiB":   each(func(s *Sample) { s.Size = 1 << 31 }),
	"a size below 0":    each(func(s *Sample) { s.Size = -1 }),
	"an offset below 0": each(func(s *Sample) { s.Offset = -5 }),
	"an offset beyond":  each(func(s *Sample) { s.Offset = math.MaxInt64 }),
	"pixels below 0":    each(func(s *Sample) { s.Width, s.Height = -1, math.MinInt32 }),
	"a tensor of 2 GiB": each(func(s *Sample) { s.TensorFile, s.TensorSize = s.File, 1<<31 }),
	"a time elsewhere":  each(func(s *Sample) { s.SampleMs += 1 }),
	"an image time":     each(func(s *Sample) { s.ImageMs = math.MinInt64 }),
	"a format":          each(func(s *Sample) { s.Format = "../x" }),
	"labels":            each(func(s *Sample) { s.Labels = map[string]string{"class": "evil"} }),
	"no frame": each(func(s *Sample) {
		*s = Sample{Series: s.Series, Stream: s.Stream, SampleMs: s.SampleMs, Kind: ledger.Gap, Outcome: "X"}
	}),
	"no row":        func([]Sample) []Sample { return nil },
	"rows left out": func(rows []Sample) []Sample { return rows[3:] },
	"rows doubled":  func(rows []Sample) []Sample { return append(rows, rows[:4]...) },
	"pictures swapped": func(rows []Sample) []Sample {
		a, b := &rows[0], &rows[1]
		a.File, b.File, a.Offset, b.Offset, a.Size, b.Size, a.SHA256, b.SHA256 = b.File, a.File, b.Offset, a.Offset, b.Size, a.Size, b.SHA256, a.SHA256
		return rows
	},
}

func each(change func(s *Sample)) func(rows []Sample) []Sample {
	return func(rows []Sample) []Sample {
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
		dir := archive(t, "webdataset")
		o := PackOptions{Format: format, SamplesPerFile: 6}
		place := filepath.Join(t.TempDir(), "set")
		if err := packByHand(planned(t, dir, o), dir, place, nil); err != nil {
			t.Fatal(err)
		}
		want := tree(t, place)
		rows := index(t, dir)
		for name, craft := range craftings {
			craftIndex(t, dir, craft(append([]Sample(nil), rows...)))
			around, dataset := t.TempDir(), tree(t, dir)
			place := filepath.Join(around, "a", "b", "set")
			plan, err := PlanPack(t.Context(), dir, o)
			if err == nil {
				err = packByHand(plan, dir, place, nil)
			}
			if err != nil {
				t.Errorf("%s, %s: %v", format, name, err)
				continue
			}
			got := make(map[string]string)
			for path, data := range tree(t, around) {
				if path, inside := strings.CutPrefix(path, "a/b/set/"); inside {
					if path != "" {
						got[path] = data
					}
				} else if path != "a/" && path != "a/b/" {
					t.Errorf("%s, %s: %s is outside of OUT", format, name, path)
				}
			}
			equalTrees(t, got, want, format+", "+name)
			equalTrees(t, tree(t, dir), dataset, "the dataset, "+name)
		}
	}
}

// TestPackOfAStaleIndex: receipts that were replaced by others of the same name since
// the index was made, by a writer that was there before it, are what is packed.
func TestPackOfAStaleIndex(t *testing.T) {
	dir := createIn(t, "webdataset")
	write(t, dir, shardOf(door, 0, "fff"), shardOf(door, 3, "nnnnnnnn"))
	refetch := writer(t, dir)
	index(t, dir)
	if _, err := refetch.Write(t.Context(), shardOf(door, 3, "ffffffff")); err != nil {
		t.Fatal(err)
	}
	if plan := planned(t, dir, PackOptions{}); plan.Set.Frames != 11 {
		t.Errorf("%d frames, want 11", plan.Set.Frames)
	}
}

// TestPackOfHostileReceipts: names that no stream has are refused before anything is
// written, and a size that no file holds takes no memory.
func TestPackOfHostileReceipts(t *testing.T) {
	record := func(change func(r *framepb.Receipt)) (dir string) {
		dir = createIn(t, "webdataset")
		write(t, dir, shardOf(door, 0, "fff"))
		receipt, err := ledger.Open(dir).Read(ledger.Entry{Span: shardOf(door, 0, "fff").Span})
		if err != nil {
			t.Fatal(err)
		}
		change(receipt)
		if len(receipt.Path) > 0 {
			receipt.Path = container.All["webdataset"].Path(receipt.Span())
		}
		if err := ledger.Open(dir).Put(receipt); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for want, change := range map[string]func(r *framepb.Receipt){
		`"a\x1b[2Jb" is no name of a stream`: func(r *framepb.Receipt) { r.Series.StreamName = "a\x1b[2Jb" },
		`"arn:../x" is no ARN of a stream`:   func(r *framepb.Receipt) { r.Series.StreamArn = "arn:../x" },
		`has the format "../x"`:              func(r *framepb.Receipt) { r.Series.Format = "../x" },
	} {
		_, err := PlanPack(t.Context(), record(change), PackOptions{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%v must contain %s", err, want)
		}
	}
	dir := record(func(r *framepb.Receipt) {
		r.Bytes += math.MaxInt32 - int64(r.Sizes[2])
		r.Sizes[2] = math.MaxInt32
	})
	var before, after runtime.MemStats
	plan := planned(t, dir, PackOptions{})
	runtime.ReadMemStats(&before)
	err := packByHand(plan, dir, filepath.Join(t.TempDir(), "set"), nil)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "its file ends before it") {
		t.Errorf("a picture of 2 GiB: %v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<30 {
		t.Errorf("a picture of 2 GiB took %d bytes of memory", took)
	}
}

// TestPackTellsOfDamagedReceipts: what a damaged receipt had is missing.
func TestPackTellsOfDamagedReceipts(t *testing.T) {
	dir := archive(t, "webdataset")
	name := ledger.Entry{Span: shardOf(door, 0, "ffnfffff").Span}.Path()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if plan := planned(t, dir, PackOptions{}); plan.Missing != 8 || plan.Set.Frames != archiveFrames-7 {
		t.Errorf("%d samples are missing, %d frames there, want 8 and %d", plan.Missing, plan.Set.Frames, archiveFrames-7)
	}
}

// TestPackIntoAHostileSet: what pack.json says is compared, and nothing is named by
// it; nor does it reach a terminal as it is.
func TestPackIntoAHostileSet(t *testing.T) {
	dir, place := archive(t, "webdataset"), filepath.Join(t.TempDir(), "set")
	if err := packByHand(planned(t, dir, PackOptions{}), dir, place, nil); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`{"version":1,"dataset_format":"\u001b[2J` + strings.Repeat("x", 10_000) + `","splits":[{"name":"../../outside","share":1,"frames":1,"files":9223372036854775807}]}`,
		`{"version":1,"splits":[{"name":"\u001b"}`,
	} {
		overwrite(t, place, packFile, []byte(text))
		want := tree(t, filepath.Dir(place))
		err := planned(t, dir, PackOptions{}).Create(context.Background(), place)
		if err == nil || strings.ContainsRune(err.Error(), 0x1b) || len(err.Error()) > 5000 {
			t.Errorf("%.100s: %v", text, err)
		}
		equalTrees(t, tree(t, filepath.Dir(place)), want, fmt.Sprintf("%.100s", text))
	}
}

// TestPackIntoTheDataset: a set is not made in a folder of the dataset that it is of,
// where it would be damage; beside those it is.
func TestPackIntoTheDataset(t *testing.T) {
	dir := create(t)
	write(t, dir, shardOf(door, 0, "fnfd"))
	plan := &PackPlan{dir: dir}
	for _, name := range []string{"shards/new", "ledger/new", "requests", "tmp/new", "x/../shards/new"} {
		err := plan.Create(t.Context(), dir+"/"+name)
		if err == nil || !strings.Contains(err.Error(), "in the dataset's own folder") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := plan.Create(t.Context(), dir+"/set"); err != nil {
		t.Error(err)
	}
	if own.Exists(filepath.Join(dir, "shards/new")) {
		t.Error("shards/new was made")
	}
}
