package dataset

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
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

// mortal is a bucket whose process is killed before one of its changes.
type mortal struct {
	store.Bucket
	lives *atomic.Int64 // changes until then; below 0, for ever
}

var errKilled = errors.New("killed")

func (m mortal) live() error {
	for {
		left := m.lives.Load()
		if left == 0 {
			return errKilled
		}
		if left < 0 || m.lives.CompareAndSwap(left, left-1) {
			return nil
		}
	}
}

func (m mortal) Put(ctx context.Context, path string, data []byte) error {
	return cmp.Or(m.live(), m.Bucket.Put(ctx, path, data))
}

func (m mortal) PutFrom(ctx context.Context, path string, content *io.SectionReader) error {
	return cmp.Or(m.live(), m.Bucket.PutFrom(ctx, path, content))
}

func (m mortal) Create(ctx context.Context, path string) (io.WriteCloser, error) {
	if err := m.live(); err != nil {
		return nil, err
	}
	return m.Bucket.Create(ctx, path)
}

func (m mortal) Remove(ctx context.Context, path string) error {
	return cmp.Or(m.live(), m.Bucket.Remove(ctx, path))
}

// RemoveAll may be killed between any two objects.
func (m mortal) RemoveAll(ctx context.Context, paths []string) error {
	for _, path := range paths {
		if err := m.Remove(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

func (m mortal) Make(ctx context.Context, path string, data []byte) error {
	return cmp.Or(m.live(), m.Bucket.Make(ctx, path, data))
}

var lives = make(map[string]*atomic.Int64) // of mortal buckets, by name

func init() {
	store.Register("mortal", store.Driver{Open: func(p store.Place) (store.Bucket, error) {
		in, err := store.At("mem://" + p.Bucket + "/" + p.Prefix)
		if err != nil {
			return nil, err
		}
		return mortal{in.(store.Bucket), lives[p.Bucket]}, nil
	}})
}

// world is a dataset in a mortal bucket, and what its shards are to be.
type world struct {
	name   string
	lives  *atomic.Int64
	shards map[int64]string // outcomes, by first sample
}

var worlds atomic.Int64

func newWorld(t *testing.T, rt *rapid.T, name, format string) *world {
	return makeWorld(t, rt, fmt.Sprint(name, worlds.Add(1)), format)
}

func makeWorld(t *testing.T, rt rapid.TB, name, format string) *world {
	w := &world{"mortal://" + name + "/x", new(atomic.Int64), make(map[int64]string)}
	w.lives.Store(-1)
	lives[name] = w.lives
	if _, err := Create(t.Context(), w.name, Options{Format: format, ShardSamples: 4}); err != nil {
		rt.Fatal(err)
	}
	return w
}

// files are those of the dataset.
func (w *world) files(t *testing.T, rt rapid.TB) map[string]string {
	root, err := store.At(w.name)
	if err != nil {
		rt.Fatal(err)
	}
	paths, folders, err := root.List(t.Context(), "")
	for _, folder := range folders {
		var names []string
		if names, err = root.Under(t.Context(), folder); err != nil {
			break
		}
		for _, name := range names {
			paths = append(paths, folder+"/"+name)
		}
	}
	files := make(map[string]string)
	for i := 0; i < len(paths) && err == nil; i++ {
		var data []byte
		data, err = root.Read(t.Context(), paths[i], 1<<20)
		files[paths[i]] = string(data)
	}
	if err != nil || len(files) == 0 {
		rt.Fatal(len(files), err)
	}
	return files
}

// TestSealedAlike: in whatever order shards are written, replaced, taken away and sealed,
// with kills on the way, the dataset has the bytes of one that was written once; and no
// receipt is lost at any time.
func TestSealedAlike(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		format := rapid.SampledFrom([]string{"files", "webdataset"}).Draw(rt, "format")
		w := newWorld(t, rt, "world", format)
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			w.step(t, rt)
			w.check(t, rt)
		}
		seals(t, w.name)
		w.check(t, rt)
		undisturbed := newWorld(t, rt, "undisturbed", format)
		for at, outcomes := range w.shards {
			undisturbed.write(t, rt, at, outcomes)
		}
		seals(t, undisturbed.name)
		if got, want := w.files(t, rt), undisturbed.files(t, rt); !maps.Equal(got, want) {
			for name := range got {
				if got[name] != want[name] {
					rt.Errorf("%s is not as in the other", name)
				}
			}
			for name := range want {
				if _, ok := got[name]; !ok {
					rt.Errorf("%s is not there", name)
				}
			}
		}
	})
}

// firstOf is the first sample of the shards of worlds.
const firstOf = 4 - first%4

func (w *world) write(t *testing.T, rt *rapid.T, at int64, outcomes string) error {
	writer, err := opened(t, w.name).NewWriter()
	if err != nil {
		rt.Fatal(err)
	}
	_, err = writer.Write(t.Context(), shardOf(door, firstOf+at, outcomes))
	if err == nil && (w.shards[at] == "" || outcomes[0] != 'F') { // as much has failed
		w.shards[at] = outcomes
	}
	return err
}

func (w *world) forget(t *testing.T, rt *rapid.T, at int64) error {
	writer, err := opened(t, w.name).NewWriter()
	if err != nil {
		rt.Fatal(err)
	}
	if err = writer.forget(t.Context(), shardOf(door, firstOf+at, "ffff").Span); err == nil {
		delete(w.shards, at)
	}
	return err
}

// look looks again at the first sample of a shard, where that is a gap, and finds a picture.
func (w *world) look(t *testing.T, rt *rapid.T, at int64) error {
	have := w.shards[at]
	if have == "" || !strings.Contains("nF", have[:1]) {
		return nil
	}
	look := shardOf(door, firstOf+at, "f...")
	look.Again = []frame.Span{look.Span.Slice(look.Span.First, look.Span.First+1)}
	writer, err := opened(t, w.name).NewWriter()
	if err != nil {
		rt.Fatal(err)
	}
	if _, err = writer.Write(t.Context(), look); err == nil {
		w.shards[at] = "f" + have[1:]
	}
	// Killed after its receipt went and before the new one came, the shard is fetched whole.
	if gone := (*GoneError)(nil); errors.As(err, &gone) {
		return w.write(t, rt, at, "f"+have[1:])
	}
	return err
}

// step does something to the dataset. Its process may be killed before it is done; then
// somebody else does it.
func (w *world) step(t *testing.T, rt *rapid.T) {
	at := int64(4 * rapid.IntRange(0, 5).Draw(rt, "shard"))
	do := func() error { return sealAll(t.Context(), opened(t, w.name)) }
	switch rapid.SampledFrom([]string{"write", "write", "seal", "forget", "look", "repair"}).Draw(rt, "do") {
	case "look":
		do = func() error { return w.look(t, rt, at) }
	case "repair":
		do = func() error {
			_, err := opened(t, w.name).Repair(t.Context(), VerifyOptions{})
			return err
		}
	case "write":
		outcomes := rapid.StringMatching(`[fgnd]{4}|F[fg]{3}`).Draw(rt, "outcomes")
		do = func() error { return w.write(t, rt, at, outcomes) }
	case "forget":
		do = func() error { return w.forget(t, rt, at) }
	}
	w.lives.Store(rapid.Int64Range(-1, 12).Draw(rt, "changes"))
	err := do()
	w.lives.Store(-1)
	if errors.Is(err, errKilled) {
		w.check(t, rt)
		err = do()
	}
	if err != nil {
		rt.Fatal(err)
	}
}

// check looks at what the ledger says: no more and no less than what was done, and what is
// under way.
func (w *world) check(t *testing.T, rt *rapid.T) {
	report := verify(t, w.name)
	if report.Corrupt+report.Missing+report.Damaged+report.Duplicate > 0 || report.Stale {
		rt.Fatalf("verify says %+v", report)
	}
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
	for i := range int64(12) {
		write(t, dir, shardOf(door, start+i*MaxShardSamples-MaxShardSamples, gaps))
	}
	seals(t, dir)
	var samples []string
	for _, file := range sealedIn(t, dir) {
		samples = append(samples, fmt.Sprint(file.Span.Samples))
	}
	if got := strings.Join(samples, " "); got != "10000 100000 10000" {
		t.Errorf("the files have %s samples", got)
	}
}
