package dataset

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// pngs is a second series of what is adopted.
var pngs = frame.Series{StreamName: "back-door", IntervalMs: 1000, PhaseMs: 7, Format: frame.PNG}

// backfilled is what a backfill fetches: shards with gaps and without, and with labels.
func backfilled() []frame.Shard {
	labelled := shardOf(door, 8, "ffff")
	labelled.Frames[2].Labels = map[string]string{"class": "dog"}
	return []frame.Shard{
		shardOf(door, 0, "ffff"), shardOf(door, 4, "fnfd"), labelled, shardOf(door, 12, "nff"), shardOf(door, 15, "nn"),
		shardOf(pngs, 0, "fff"), shardOf(pngs, 3, "ffn"),
	}
}

// backfills fetches what a dataset does not have of shards, as a backfill does, from Begin to
// Finish. It returns the samples that it asked for of each shard.
func backfills(t testing.TB, dir string, shards ...frame.Shard) map[frame.Span]int64 {
	t.Helper()
	ds, w := opened(t, dir), writer(t, dir)
	var asked []frame.Span
	for _, shard := range shards {
		asked = append(asked, shard.Span)
	}
	if err := ds.Begin(t.Context(), asked...); err != nil {
		t.Fatal(err)
	}
	fetched := make(map[frame.Span]int64)
	for _, shard := range shards {
		if known, err := ds.Ledger().Known(t.Context(), shard.Span); err != nil || len(known.Done) > 0 {
			continue
		}
		if _, err := w.Write(context.Background(), shard); err != nil {
			t.Fatal(err)
		}
		fetched[shard.Span] = shard.Span.Samples
	}
	finish(t, dir)
	return fetched
}

// sealedNames lists the files of sealed receipts, in order.
func (s spot) sealedNames(t testing.TB) (names []string) {
	t.Helper()
	for name := range s.files(t) {
		if strings.HasPrefix(name, "sealed/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// losses are what may happen to the index of a dataset. verify names them; where no name tells
// of the damage, a backfill and Finish do not see it before it is repaired.
var losses = map[string]struct {
	spoil   func(t *testing.T, s spot, names []string)
	problem string
	unnamed bool // the names are as before: only repair sees it
}{
	"a file gone": {
		func(t *testing.T, s spot, names []string) { s.remove(t, names[0]) },
		"no receipt knows this shard: ", false,
	},
	"all files gone": {func(t *testing.T, s spot, names []string) {
		for _, name := range names {
			s.remove(t, name)
		}
	}, "no receipt knows this shard: repair, index or the next backfill takes it in", false},
	"cut": {func(t *testing.T, s spot, names []string) {
		s.put(t, names[1], s.files(t)[names[1]][:100])
	}, "is damaged", true},
	"swapped": {func(t *testing.T, s spot, names []string) {
		files := s.files(t)
		s.put(t, names[0], files[names[1]])
		s.put(t, names[1], files[names[0]])
	}, "is damaged", true},
	"its footer flipped": {func(t *testing.T, s spot, names []string) {
		data := []byte(s.files(t)[names[0]])
		data[len(data)-20] ^= 1
		s.put(t, names[0], string(data))
	}, "is damaged", true},
}

var mends = map[string]func(t *testing.T, s spot){
	"repair": func(t *testing.T, s spot) {
		if report := repair(t, s.name); report.Damaged+report.Missing-2 > 0 || report.Repaired == 0 {
			t.Errorf("Repair = %+v", report)
		}
	},
	"index":    func(t *testing.T, s spot) { finish(t, s.name) },
	"backfill": func(*testing.T, spot) {},
}

// TestLostIndex: what the index has lost is found in the shards. Only shards with gaps, which
// no file tells of, are fetched again; then the dataset is as it was.
func TestLostIndex(t *testing.T) {
	t.Parallel()
	shards := backfilled()
	for _, format := range []string{"webdataset", "parquet", "tfrecord"} {
		for _, kind := range []string{"folder", "mem"} {
			undisturbed := createAt(t, spots[kind], Options{Format: format})
			backfills(t, undisturbed.name, shards...)
			want := undisturbed.files(t)
			for loss, test := range losses {
				for mend, do := range mends {
					if test.unnamed && mend != "repair" {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%s/%s", format, kind, loss, mend), func(t *testing.T) {
						s := createAt(t, spots[kind], Options{Format: format})
						backfills(t, s.name, shards...)
						test.spoil(t, s, s.sealedNames(t))
						report := verify(t, s.name)
						if said := strings.Join(report.Problems, "\n"); !strings.Contains(said, test.problem) ||
							!report.Repairable || report.Complete {
							t.Errorf("Verify = %+v", report)
						}
						do(t, s)
						fetched := backfills(t, s.name, shards...)
						for _, shard := range shards {
							if whole := len(shard.Gaps)+len(shard.Drops) == 0; whole && fetched[shard.Span] > 0 {
								t.Errorf("%v is fetched again", shard.Span)
							}
						}
						equalTrees(t, s.files(t), want, "mended")
					})
				}
			}
		}
	}
}

// TestOlderIndex: a file of the index that was replaced comes back. Both say the same of the
// shards that they have in common: nothing is fetched, and the next seal removes the older.
func TestOlderIndex(t *testing.T) {
	t.Parallel()
	shards := []frame.Shard{shardOf(door, 0, "ffff"), shardOf(door, 4, "fnfd"), shardOf(door, 8, "fff")}
	for _, kind := range []string{"folder", "mem"} {
		s := createAt(t, spots[kind], Options{Format: "webdataset"})
		backfills(t, s.name, shards[:2]...)
		older := s.sealedNames(t)[0]
		data := s.files(t)[older]
		backfills(t, s.name, shards...)
		want := s.files(t)
		s.put(t, older, data)
		if fetched := backfills(t, s.name, shards...); len(fetched) > 0 {
			t.Errorf("%s: fetched are %v", kind, fetched)
		}
		equalTrees(t, s.files(t), want, kind+", the older file is there, too")
		for _, name := range s.sealedNames(t) {
			s.remove(t, name)
		}
		s.put(t, older, data)
		if fetched := backfills(t, s.name, shards...); len(fetched) > 0 {
			t.Errorf("%s: fetched are %v", kind, fetched)
		}
		equalTrees(t, s.files(t), want, kind+", replaced by the older file")
	}
}

// TestUnfinished: a shard that a killed writer did not record is taken in by the next backfill;
// what its file does not show is fetched.
func TestUnfinished(t *testing.T) {
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		shards := backfilled()
		undisturbed := createAt(t, where, Options{Format: "parquet"})
		backfills(t, undisturbed.name, shards...)
		s := createAt(t, where, Options{Format: "parquet"})
		write(t, s.name, shards...)
		for _, shard := range shards {
			s.remove(t, receiptPath(shard.Span))
		}
		s.put(t, s.pictures(t, shards[2].Span)[0], "no shard")
		report := verify(t, s.name)
		if said := strings.Join(report.Problems, "\n"); report.Repairable ||
			strings.Count(said, "takes it in") != 5 || strings.Count(said, "unfinished work") != 1 {
			t.Errorf("Verify = %+v", report)
		}
		if fetched := backfills(t, s.name, shards...); fetched[shards[0].Span]+fetched[shards[5].Span] > 0 ||
			fetched[shards[2].Span] == 0 {
			t.Errorf("fetched are %v", fetched)
		}
		equalTrees(t, withoutExtraRequests(s.files(t), undisturbed.files(t)), undisturbed.files(t), "resumed")
	})
}

// TestAdoptFiles: single files do not tell image times. A backfill fetches again what is in no
// receipt, so that killed ones leave no trace; repair takes it in.
func TestAdoptFiles(t *testing.T) {
	t.Parallel()
	for mend, do := range mends {
		s := createAt(t, spots["mem"], Options{Format: "files"})
		shard := shardOf(door, 0, "ffff")
		backfills(t, s.name, shard)
		s.remove(t, s.sealedNames(t)[0])
		s.remove(t, ledger.IndexPath(ledger.BlockOf(shard.Span, 100)))
		do(t, s)
		fetched := backfills(t, s.name, shard)
		if want := map[string]int64{"backfill": 4, "index": 4}[mend]; fetched[shard.Span] != want {
			t.Errorf("%s: %d samples are fetched again, want %d", mend, fetched[shard.Span], want)
		}
		for i, sample := range samplesIn(t, s.name) {
			want := shard.Frames[i].ImageMs
			if mend == "repair" {
				want = sample.SampleMs
			}
			if sample.ImageMs != want || sample.Width != 16 || sample.Height != 9 {
				t.Errorf("%s: the sample is %+v", mend, sample)
			}
		}
		if report := verify(t, s.name); !report.Complete || len(report.Problems) > 0 {
			t.Errorf("%s: Verify = %+v", mend, report)
		}
	}
}

// TestAdoptLeaves: shards that were not asked for, that others have a sample of, and that
// overlap one that is taken in, stay as they are.
func TestAdoptLeaves(t *testing.T) {
	t.Parallel()
	s := createAt(t, spots["mem"], Options{Format: "webdataset"})
	unasked, partly := shardOf(door, 40, "ff"), shardOf(door, 3, "fff")
	inside, longer := shardOf(door, 8, "ff"), shardOf(door, 8, "ffff")
	for _, shard := range []frame.Shard{unasked, partly, inside, longer} {
		if _, err := writer(t, s.name).Write(t.Context(), shard); err != nil {
			t.Fatal(err)
		}
		s.remove(t, receiptPath(shard.Span))
	}
	write(t, s.name, shardOf(door, 0, "ffff"))
	if err := ledger.Open(s.name).Request(t.Context(), partly.Span, longer.Span); err != nil {
		t.Fatal(err)
	}
	finish(t, s.name)
	var spans []string
	for _, file := range sealedIn(t, s.name) {
		spans = append(spans, file.Span.Name())
	}
	if want := []string{shardOf(door, 0, "ffff").Span.Name(), longer.Span.Name()}; !slices.Equal(spans, want) {
		t.Errorf("sealed are %v, want %v", spans, want)
	}
	if files := s.files(t); len(s.pictures(t, inside.Span)) != 1 || len(s.pictures(t, unasked.Span)) != 1 {
		t.Errorf("left are %v", slices.Sorted(maps.Keys(files)))
	}
}

// watched is a bucket that keeps the paths of what it is asked to list and to open.
type watched struct {
	store.Bucket
	mu   *sync.Mutex
	seen *[]string
}

func (w watched) note(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*w.seen = append(*w.seen, path)
}

func (w watched) List(ctx context.Context, folder string) (files, folders []string, err error) {
	w.note("list " + folder)
	return w.Bucket.List(ctx, folder)
}

func (w watched) Under(ctx context.Context, path string) ([]string, error) {
	w.note("list " + path)
	return w.Bucket.Under(ctx, path)
}

func (w watched) Open(ctx context.Context, name string) (store.File, error) {
	w.note("open " + path.Dir(name))
	return w.Bucket.Open(ctx, name)
}

// TestAdoptCostsNothing: where nothing is missing, no shard is listed or opened, and what was
// asked for before is not looked at.
func TestAdoptCostsNothing(t *testing.T) {
	t.Parallel()
	s := createAt(t, spots["mem"], Options{Format: "webdataset"})
	shards := []frame.Shard{shardOf(door, 0, "ffff"), shardOf(door, 4, "fnfd")}
	backfills(t, s.name, shards...)
	ds := opened(t, s.name)
	var seen []string
	ds.store = watched{ds.store.(store.Bucket), new(sync.Mutex), &seen}
	if err := ds.Begin(t.Context(), shards[0].Span, shards[1].Span); err != nil {
		t.Fatal(err)
	}
	if _, err := ds.Finish(t.Context(), FinishOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, what := range seen {
		if strings.Contains(what, "shards") {
			t.Errorf("it does %s", what)
		}
	}
	s.remove(t, s.sealedNames(t)[0])
	s.remove(t, ledger.IndexPath(ledger.BlockOf(shards[0].Span, 100)))
	seen = nil
	if err := ds.Begin(t.Context(), shards[0].Span); err != nil {
		t.Fatal(err)
	}
	if want := []string{"list shards/" + door.ID(), "open shards/" + door.ID()}; !slices.Equal(seen, want) {
		t.Errorf("with a lost index, Begin does %q, want %q", seen, want)
	}
}
