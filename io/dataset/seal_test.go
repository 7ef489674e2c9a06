package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// sealedIn lists the files of sealed receipts of door.
func sealedIn(t testing.TB, dir string) []ledger.Entry {
	t.Helper()
	files, err := ledger.Open(dir).Files(t.Context(), door)
	if err != nil {
		t.Fatal(err)
	}
	return files.Sealed
}

// row is what readers of the index find, some of its columns.
type row struct {
	Key     string  `parquet:"key"`
	Kind    string  `parquet:"kind"`
	Outcome string  `parquet:"outcome"`
	File    *string `parquet:"file"`
	Offset  *int64  `parquet:"offset"`
	Size    *int64  `parquet:"size"`
}

// rowsIn reads all files of the index, as readers do.
func rowsIn(t testing.TB, s spot) (rows []row) {
	t.Helper()
	for name, data := range s.files(t) {
		if ok, _ := filepath.Match(indexGlob, name); ok {
			some, err := parquet.Read[row](strings.NewReader(data), int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, some...)
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.Key, b.Key) })
	return rows
}

// samplesIn returns all samples of a dataset.
func samplesIn(t testing.TB, dir string) (all []Sample) {
	t.Helper()
	spans, err := opened(t, dir).Recorded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for group, err := range opened(t, dir).Samples(t.Context(), spans, true) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, group.Samples...)
	}
	return all
}

// pictureAt returns the bytes that a sample says are its picture.
func pictureAt(t testing.TB, root store.Store, s Sample) []byte {
	t.Helper()
	file, err := root.Open(context.Background(), s.File)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	data := make([]byte, s.Size)
	if _, err := file.ReadAt(data, s.Offset); err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("%s: %v", s.Key, err)
	}
	return data
}

// TestSeal: in every format and place, sealed receipts say what the loose ones said, and a
// row of the index what became of its sample and where its picture lies. The dataset has the
// same bytes everywhere, in whatever order it was written.
func TestSeal(t *testing.T) {
	pngs := frame.Series{
		StreamName: "back-door", StreamARN: "arn:aws:kinesisvideo:us-east-1:1:stream/back-door/1",
		ImageSelectorType: "SERVER_TIMESTAMP", IntervalMs: 1000, PhaseMs: 7, Format: frame.PNG,
	}
	shards := []frame.Shard{
		shardOf(door, 4, "Ff"), shardOf(door, 0, "fnfd"), shardOf(pngs, 0, "fff"),
		shardOf(pngs, 3, "nn"),
	}
	pictures := make(map[string]frame.Frame)
	for _, shard := range shards {
		for _, picture := range shard.Frames {
			pictures[picture.Key()] = picture
		}
	}
	want := make(map[string]map[string]string) // by format
	for _, format := range Formats() {
		local := createIn(t, format)
		write(t, local, shards...)
		finish(t, local)
		want[format] = spot{name: local}.files(t)
	}
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		for _, format := range Formats() {
			s := createAt(t, where, Options{Format: format})
			backwards := slices.Clone(shards)
			slices.Reverse(backwards)
			write(t, s.name, backwards...)
			loose := samplesIn(t, s.name)
			finish(t, s.name)
			equalTrees(t, s.files(t), want[format], format)
			for name := range s.files(t) {
				if strings.HasPrefix(name, "ledger/") {
					t.Errorf("%s: %s is loose", format, name)
				}
			}
			samples := samplesIn(t, s.name)
			if !reflect.DeepEqual(samples, loose) {
				t.Errorf("%s: the sealed samples are %+v, loose they were %+v", format, samples, loose)
			}
			rows := rowsIn(t, s)
			for i, sample := range samples {
				wantRow := row{Key: sample.Key, Kind: sample.Kind.String(), Outcome: sample.Outcome}
				if sample.Kind == ledger.Frame {
					wantRow.File, wantRow.Offset, wantRow.Size = &sample.File, &sample.Offset, &sample.Size
					f := pictures[sample.Key]
					if sample.ImageMs != f.ImageMs || sample.SHA256 != sha256.Sum256(f.Data) ||
						!bytes.Equal(pictureAt(t, s.store(t), sample), f.Data) {
						t.Errorf("%s: the sample is %+v", format, sample)
					}
				}
				if !reflect.DeepEqual(rows[i], wantRow) {
					t.Errorf("%s: the row is %+v, want %+v", format, rows[i], wantRow)
				}
			}
			if report := verify(t, s.name); len(report.Problems) > 0 || report.Failed != 1 || report.Shards != 4 {
				t.Errorf("%s: verify says %+v", format, report)
			}
		}
	})
}

// TestSealKeepsTheTally: whatever receipts overlap, have failed or are damaged, sealing
// changes nothing of what they come to.
func TestSealKeepsTheTally(t *testing.T) {
	t.Parallel()
	dirs := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		dir := filepath.Join(dirs, rapid.StringMatching(`[a-z0-9]{16}`).Draw(rt, "dir"))
		if _, err := Create(t.Context(), dir, Options{}); err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		w := writer(t, dir)
		var spans []frame.Span
		tally := func() ledger.Tally {
			tallies, err := ledger.Open(dir).Tally(t.Context(), spans)
			if err != nil {
				rt.Fatal(err)
			}
			return tallies[door]
		}
		for range rapid.IntRange(1, 6).Draw(rt, "shards") {
			outcomes := rapid.StringMatching(`[fgnd]{1,12}`).Draw(rt, "outcomes")
			if rapid.Bool().Draw(rt, "failed") {
				outcomes = "F" + outcomes
			}
			shard := shardOf(door, rapid.Int64Range(0, 30).Draw(rt, "first"), outcomes)
			if _, err := w.Write(context.Background(), shard); err != nil {
				rt.Fatal(err)
			}
			spans = append(spans, shard.Span)
			if rapid.IntRange(0, 5).Draw(rt, "damage") == 0 {
				name := ledger.Entry{Span: shard.Span, Failed: outcomes[0] == 'F'}.Path()
				if err := os.WriteFile(filepath.Join(dir, name), []byte("{}\n"), 0o666); err != nil {
					rt.Fatal(err)
				}
			}
			if rapid.IntRange(0, 3).Draw(rt, "seal") == 0 {
				before := tally()
				seals(t, dir)
				if after := tally(); !reflect.DeepEqual(before, after) {
					rt.Fatalf("sealed, the tally is %+v, it was %+v", after, before)
				}
			}
		}
		before := tally()
		seals(t, dir)
		if after := tally(); !reflect.DeepEqual(before, after) {
			rt.Fatalf("sealed, the tally is %+v, it was %+v", after, before)
		}
	})
}

// TestSealBlocks: receipts are sealed in files of a bounded number of samples, cut where
// others would cut them, too.
func TestSealBlocks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Create(t.Context(), dir, Options{ShardSamples: MaxShardSamples}); err != nil {
		t.Fatal(err)
	}
	const start = ledger.SealedSamples - first%ledger.SealedSamples // where a block begins
	gaps := strings.Repeat("n", MaxShardSamples)
	for i := range int64(22) {
		write(t, dir, shardOf(door, start+i*MaxShardSamples-MaxShardSamples, gaps))
	}
	seals(t, dir)
	var samples []string
	for _, file := range sealedIn(t, dir) {
		samples = append(samples, fmt.Sprint(file.Span.Samples))
	}
	if got := strings.Join(samples, " "); got != "10000 200000 10000" {
		t.Errorf("the files have %s samples", got)
	}
}
