package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/own"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// index writes the index of a dataset and reads all of it.
func index(t testing.TB, dir string) []Sample {
	t.Helper()
	rows, err := writeIndex(context.Background(), t, dir)
	if err != nil {
		t.Fatal(err)
	}
	samples := readIndex(t, dir)
	if int64(len(samples)) != rows {
		t.Fatalf("WriteIndex says %d rows, there are %d", rows, len(samples))
	}
	return samples
}

func openForTest(t testing.TB, dir string) *Index {
	t.Helper()
	x, err := opened(t, dir).OpenIndex(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func readIndex(t testing.TB, dir string) (all []Sample) {
	t.Helper()
	x := openForTest(t, dir)
	for group := range x.Groups() {
		samples, err := x.Read(context.Background(), group)
		if err != nil || int64(len(samples)) != x.Rows(group) {
			t.Fatalf("group %d: %d rows of %d, %v", group, len(samples), x.Rows(group), err)
		}
		all = append(all, samples...)
	}
	return all
}

// pictureAt returns the bytes that a row says are its picture.
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

// TestIndex: in every format and place, a row tells what became of its sample and
// where the bytes of its picture lie; and the index has the same bytes everywhere.
func TestIndex(t *testing.T) {
	pngs := frame.Series{
		StreamName: "back-door", StreamARN: "arn:aws:kinesisvideo:us-east-1:1:stream/back-door/1",
		ImageSelectorType: "SERVER_TIMESTAMP", IntervalMs: 1000, PhaseMs: 7, Format: frame.PNG,
	}
	shards := []frame.Shard{
		shardOf(door, 4, "Ff"), shardOf(door, 0, "fnfd"), shardOf(pngs, 0, "fff"),
		shardOf(pngs, 3, "nn"),
	}
	want := make(map[string]frame.Frame)
	for _, shard := range shards {
		for _, picture := range shard.Frames {
			want[picture.Key()] = picture
		}
	}
	bytes := make(map[string]string) // by format
	for _, format := range Formats() {
		local := createIn(t, format)
		write(t, local, shards...)
		index(t, local)
		bytes[format] = spot{name: local}.files(t)[indexFile]
	}
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		for _, format := range Formats() {
			s := createAt(t, where, Options{Format: format})
			backwards := slices.Clone(shards)
			slices.Reverse(backwards)
			write(t, s.name, backwards...)
			samples := index(t, s.name)
			if s.files(t)[indexFile] != bytes[format] {
				t.Errorf("%s: the index has other bytes than in a folder", format)
			}
			var outcomes []string
			for _, row := range samples {
				outcomes = append(outcomes, fmt.Sprintf("%s %v %s", row.Stream, row.Kind, row.Outcome))
				if row.Kind == ledger.Frame {
					checkRow(t, s.store(t), row, want[row.Key])
				}
			}
			f, n, d := " frame FRAME", " gap NO_MEDIA", " drop SAME"
			b, o := "back-door", "front.door"
			if got := []string{
				b + f, b + f, b + f, b + n, b + n, o + f, o + n, o + f, o + d, o + " gap FAILED",
				o + f,
			}; !slices.Equal(outcomes, got) {
				t.Errorf("%s: the rows are %q", format, outcomes)
			}
			if report := verify(t, s.name); len(report.Problems) > 0 {
				t.Errorf("%s: with an index, verify says %q", format, report.Problems)
			}
		}
	})
}

func checkRow(t *testing.T, root store.Store, row Sample, f frame.Frame) {
	t.Helper()
	series := door
	if f.Format == frame.PNG {
		series = frame.Series{
			StreamName: "back-door", StreamARN: "arn:aws:kinesisvideo:us-east-1:1:stream/back-door/1",
			ImageSelectorType: "SERVER_TIMESTAMP", IntervalMs: 1000, PhaseMs: 7, Format: frame.PNG,
		}
	}
	want := Sample{
		Key: f.Key(), Stream: f.Stream, StreamARN: series.StreamARN, Series: series.ID(), SampleMs: f.SampleMs,
		Outcome: "FRAME",
		ImageMs: f.ImageMs, File: row.File, Offset: row.Offset, Size: int64(len(f.Data)), SHA256: sha256.Sum256(f.Data),
		Format: f.Format, Width: 16, Height: 9,
	}
	if !reflect.DeepEqual(row, want) {
		t.Errorf("the row is %+v, want %+v", row, want)
	}
	if !bytes.Equal(pictureAt(t, root, row), f.Data) {
		t.Errorf("%s: at %d of %s are other bytes", row.Key, row.Offset, row.File)
	}
}

// TestIndexIsTheTally: whatever receipts overlap, have failed or are damaged, each
// recorded sample has one row, of what it counts as.
func TestIndexIsTheTally(t *testing.T) {
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
		for range rapid.IntRange(0, 6).Draw(rt, "shards") {
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
		}
		want, err := ledger.Open(dir).Tally(t.Context(), spans)
		if err != nil {
			rt.Fatal(err)
		}
		got := ledger.Tally{Samples: want[door].Samples, Missing: want[door].Samples, Shards: want[door].Shards}
		last := int64(-1)
		for _, s := range index(t, dir) {
			if s.SampleMs <= last {
				rt.Fatalf("%d comes after %d", s.SampleMs, last)
			}
			last = s.SampleMs
			one := ledger.Tally{Missing: -1, Bytes: s.Size}
			switch s.Kind {
			case ledger.Frame:
				one.Frames = 1
			case ledger.Gap:
				one.Gaps = map[string]int64{s.Outcome: 1}
			case ledger.Drop:
				one.Drops = map[string]int64{s.Outcome: 1}
			}
			got = got.Plus(one)
		}
		tally := want[door]
		tally.Duplicates = 0 // a row is a sample, however many receipts have it
		if len(spans) > 0 && !reflect.DeepEqual(got, tally) {
			rt.Fatalf("the rows come to %+v, the tally is %+v", got, tally)
		}
	})
}

// TestIndexGroups: row groups have a bounded number of rows, and each is read by
// itself.
func TestIndexGroups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Create(t.Context(), dir, Options{ShardSamples: MaxShardSamples}); err != nil {
		t.Fatal(err)
	}
	const start = MaxShardSamples - first%MaxShardSamples // where such shards are cut
	gaps := strings.Repeat("n", MaxShardSamples)
	for i := range int64(11) {
		write(t, dir, shardOf(door, start+i*MaxShardSamples, gaps))
	}
	write(t, dir, shardOf(door, start+10*MaxShardSamples, strings.Repeat("fnn", 1000)))
	rows, err := writeIndex(context.Background(), t, dir)
	if err != nil || rows != 110_000 {
		t.Fatal(rows, err)
	}
	x := openForTest(t, dir)
	if x.Groups() != 2 || x.Rows(0) != 100_000 || x.Rows(1) != 10_000 {
		t.Fatalf("%d groups", x.Groups())
	}
	samples, err := x.Read(context.Background(), 1)
	if err != nil || len(samples) != 10_000 || samples[0].SampleMs != door.At(first+start+100_000) {
		t.Errorf("the last group: %d rows, %v", len(samples), err)
	}
	for i, s := range samples {
		if f := i < 3000 && i%3 == 0; f != (s.Kind == ledger.Frame) ||
			f != (s.File != "" && s.Size > 0 && s.Width == 16 && s.SHA256 != [32]byte{}) {
			t.Fatalf("row %d of the last group is %+v", i, s)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := x.Read(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestIndexOutOfDate: an index reports whether it describes the dataset, and whoever
// begins to write removes it.
func TestIndexOutOfDate(t *testing.T) {
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s, ctx := createAt(t, where, Options{}), context.Background()
		if _, err := opened(t, s.name).OpenIndex(ctx); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without one: %v", err)
		}
		current := func(want bool, when string) {
			t.Helper()
			x, err := opened(t, s.name).OpenIndex(ctx)
			if err != nil {
				t.Fatal(when, err)
			}
			defer x.Close()
			if got, err := x.Current(ctx); got != want || err != nil {
				t.Errorf("%s: Current = %v, %v", when, got, err)
			}
		}
		old := writer(t, s.name)
		index(t, s.name)
		current(true, "of an empty dataset")
		if _, err := old.Write(ctx, shardOf(door, 0, "fn")); err != nil {
			t.Fatal(err)
		}
		current(false, "something was written")
		index(t, s.name)
		current(true, "written again")
		s.remove(t, ledger.Entry{Span: shardOf(door, 0, "fn").Span}.Path())
		current(false, "a receipt was removed")
		writer(t, s.name)
		if _, err := opened(t, s.name).OpenIndex(ctx); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after a writer was made: %v", err)
		}
	})
}

// TestIndexWholeOrNot: an index that could not be written leaves the old one, and
// what killed processes left goes with the next.
func TestIndexWholeOrNot(t *testing.T) {
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := createAt(t, where, Options{})
		write(t, s.name, shardOf(door, 0, "fn"))
		index(t, s.name)
		want := s.files(t)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := writeIndex(ctx, t, s.name); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		boom := errors.New("boom")
		err := store.WriteFile(context.Background(), s.store(t), indexFile, func(w io.Writer) error {
			if _, err := w.Write(make([]byte, 20<<20)); err != nil {
				t.Error(err)
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Errorf("failed: %v", err)
		}
		equalTrees(t, s.files(t), want, "after failures")
		if _, local := s.store(t).(store.Folder); local {
			s.put(t, "tmp/"+own.TempName(indexFile), "half")
		}
		index(t, s.name)
		equalTrees(t, s.files(t), want, "after a kill")
	})
}

// TestIndexOverAnother: a writer whose file was taken for a leftover begins again.
func TestIndexOverAnother(t *testing.T) {
	dir := create(t)
	calls := 0
	err := store.WriteFile(context.Background(), store.Folder(dir), indexFile, func(w io.Writer) error {
		if calls++; calls == 1 {
			index(t, dir)
		}
		_, err := io.WriteString(w, "mine")
		return err
	})
	if got := tree(t, dir)[indexFile]; err != nil || calls != 2 || got != "mine" {
		t.Errorf("after %d calls: %q, %v", calls, got, err)
	}
	wantNoLeftovers(t, dir, "written")
}

// TestIndexDamaged: no file is read as an index that is not one, and whatever
// changes in one, reading it panics never and lies never.
func TestIndexDamaged(t *testing.T) {
	t.Parallel()
	dir, ctx := create(t), context.Background()
	write(t, dir, shardOf(door, 0, "fnfdfffn"))
	want := index(t, dir)
	path := filepath.Join(dir, indexFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "x", "PAR1", strings.Repeat("x", 1000), "PAR1\x00\x00\x00\x00PAR1"} {
		overwrite(t, dir, indexFile, []byte(text))
		if _, err := opened(t, dir).OpenIndex(ctx); !errors.Is(err, ErrForeign) ||
			!strings.Contains(err.Error(), "index the dataset again") {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	read := func() ([]Sample, error) {
		x, err := opened(t, dir).OpenIndex(ctx)
		if err != nil {
			return nil, err
		}
		defer x.Close()
		var all []Sample
		for group := range x.Groups() {
			samples, err := x.Read(ctx, group)
			if err != nil {
				return nil, err
			}
			all = append(all, samples...)
		}
		return all, nil
	}
	silent := 0
	for at := 0; at < len(whole); at += 13 {
		data := bytes.Clone(whole)
		data[at] ^= 1 << (at % 8)
		overwrite(t, dir, indexFile, data)
		if got, err := read(); err == nil && !reflect.DeepEqual(got, want) {
			silent++
		}
		overwrite(t, dir, indexFile, whole[:at])
		if _, err := read(); err == nil {
			t.Errorf("cut at %d: no error", at)
		}
	}
	if silent > 0 {
		t.Errorf("%d of %d changed bytes give other rows, and no error", silent, len(whole))
	}
}
