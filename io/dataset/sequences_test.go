package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/store"
)

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
