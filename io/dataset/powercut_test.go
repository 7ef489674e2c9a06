package dataset

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/disk"
)

// cutDisk follows what is on the disk of a folder that is changed. After a power cut a file
// has the content that was flushed, or all of it; a folder has the names that were flushed,
// with any of the changes since. A rename is two changes, of which one may be left. Nothing is
// really flushed.
type cutDisk struct {
	root string

	mu    sync.Mutex
	top   *inode
	lives int // changes until the process is killed; never where it is negative
}

// inode is a file or a folder.
type inode struct {
	flushed, now []byte // content of a file

	names, onDisk map[string]*inode // in a folder
	since         []naming          // that may not be on the disk
}

// naming gives a name to an inode, or takes it away.
type naming struct {
	name string
	to   *inode
}

func (n naming) in(names map[string]*inode) {
	if n.to == nil {
		delete(names, n.name)
	} else {
		names[n.name] = n.to
	}
}

func newFolder() *inode {
	return &inode{names: make(map[string]*inode), onDisk: make(map[string]*inode)}
}

func (n *inode) name(name string, to *inode) {
	change := naming{name, to}
	change.in(n.names)
	n.since = append(n.since, change)
}

func (n *inode) flush() {
	for _, change := range n.since {
		change.in(n.onDisk)
	}
	n.since, n.flushed = nil, n.now
}

// find returns the folder that a path is in, and its name there.
func (d *cutDisk) find(path string) (folder *inode, name string) {
	below, err := filepath.Rel(d.root, path)
	folder = d.top
	parts := strings.Split(below, string(filepath.Separator))
	for _, part := range parts[:len(parts)-1] {
		folder = folder.names[part]
	}
	if err != nil || folder == nil {
		panic(path + " is not of the dataset")
	}
	return folder, parts[len(parts)-1]
}

// watch is [disk.Watch].
func (d *cutDisk) watch(change disk.Change, do func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lives == 0 {
		return errKilled
	}
	d.lives--
	if change.Kind < disk.FileFlush {
		if err := do(); err != nil {
			return err
		}
	}
	if change.Path == d.root {
		d.top.flush()
		return nil
	}
	if change.Kind == disk.Making {
		d.makeAll(change.Path)
		return nil
	}
	folder, name := d.find(change.Path)
	switch what := folder.names[name]; change.Kind {
	case disk.Creation:
		folder.name(name, new(inode))
	case disk.Removal:
		folder.name(name, nil)
	case disk.FileFlush:
		what.now = read(change.Path)
		what.flush()
	case disk.FolderFlush:
		what.flush()
	case disk.TreeFlush:
		what.flush()
		for name, file := range what.names {
			file.now = read(filepath.Join(change.Path, name))
			file.flush()
		}
	default:
		to, as := d.find(change.To)
		to.name(as, what)
		if change.Kind == disk.Renaming {
			folder.name(name, nil)
		}
		if what.names == nil {
			what.now = read(change.To)
		}
		for name, file := range what.names {
			file.now = read(filepath.Join(change.To, name))
		}
	}
	return nil
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return data
}

func (d *cutDisk) makeAll(path string) {
	if path == d.root {
		return
	}
	d.makeAll(filepath.Dir(path))
	if folder, name := d.find(path); folder.names[name] == nil {
		folder.name(name, newFolder())
	}
}

// leave writes what a power cut may leave of a file or a folder.
func (n *inode) leave(rt *rapid.T, path string) {
	if n.names == nil {
		content := n.flushed
		if string(n.now) != string(content) && rapid.Bool().Draw(rt, "all of "+path) {
			content = n.now
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			rt.Fatal(err)
		}
		return
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		rt.Fatal(err)
	}
	names := maps.Clone(n.onDisk)
	for _, change := range n.since {
		if rapid.Bool().Draw(rt, fmt.Sprintf("%s, there: %v", filepath.Join(path, change.name), change.to != nil)) {
			change.in(names)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		names[name].leave(rt, filepath.Join(path, name))
	}
}

// TestPowerCut: whatever a power cut leaves of what is not flushed, no receipt is without its
// pictures, none is lost that was returned, none comes back that was taken away; and the same
// work then ends in the bytes of an undisturbed dataset. Processes are killed before it, too.
func TestPowerCut(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		format := rapid.SampledFrom([]string{"files", "webdataset"}).Draw(rt, "format")
		parent := t.TempDir()
		d := &cutDisk{root: parent, top: newFolder(), lives: -1}
		disk.Watch = d.watch
		defer func() { disk.Watch = nil }()
		w := &folderWorld{dir: filepath.Join(parent, "dataset"), format: format, shards: make(map[int64]string)}
		w.begin(t, rt)
		var do func() error
		var touched int64
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			do, touched = w.draw(t, rt)
			d.lives = rapid.IntRange(-1, 60).Draw(rt, "changes")
			err := do()
			d.lives = -1
			if errors.Is(err, errKilled) && rapid.Bool().Draw(rt, "power cut") {
				break
			}
			if errors.Is(err, errKilled) {
				err = do()
			}
			if err != nil {
				rt.Fatal(err)
			}
			do = nil
		}
		disk.Watch = nil
		left := filepath.Join(t.TempDir(), "left")
		d.top.leave(rt, left)
		w.dir = filepath.Join(left, "dataset")
		w.begin(t, rt)
		if do == nil {
			touched = -1
		}
		w.check(t, rt, touched)
		if do != nil {
			if err := do(); err != nil {
				rt.Fatal(err)
			}
		}
		w.check(t, rt, -1)
		seals(t, w.dir)
		w.check(t, rt, -1)

		undisturbed := &folderWorld{dir: filepath.Join(t.TempDir(), "dataset"), format: format}
		undisturbed.begin(t, rt)
		for at, outcomes := range w.shards {
			if _, err := writer(t, undisturbed.dir).Write(t.Context(), shardOf(door, firstOf+at, outcomes)); err != nil {
				rt.Fatal(err)
			}
		}
		seals(t, undisturbed.dir)
		if got, want := filesIn(t, w.dir), filesIn(t, undisturbed.dir); !maps.Equal(got, want) {
			rt.Fatalf("there is %q, and undisturbed %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	})
}

// folderWorld is a dataset in a folder, and what its shards are to be.
type folderWorld struct {
	dir, format string
	shards      map[int64]string // outcomes, by first sample
}

func (w *folderWorld) begin(t *testing.T, rt *rapid.T) {
	if _, err := Create(t.Context(), w.dir, Options{Format: w.format, ShardSamples: 4}); err != nil {
		rt.Fatal(err)
	}
}

// draw draws something to do to the dataset, and the shard that it does it to.
func (w *folderWorld) draw(t *testing.T, rt *rapid.T) (do func() error, at int64) {
	at = int64(4 * rapid.IntRange(0, 3).Draw(rt, "shard"))
	switch rapid.SampledFrom([]string{"write", "write", "look", "seal", "seal", "forget"}).Draw(rt, "do") {
	case "write":
		outcomes := rapid.StringMatching(`[fgnd]{4}|nnnn|FFFF|F[fg]{3}`).Draw(rt, "outcomes")
		return func() error { return w.write(t, at, outcomes, false) }, at
	case "look":
		// At gaps, which have pictures by now.
		outcomes := strings.ReplaceAll(w.shards[at], "n", "g")
		if outcomes == w.shards[at] {
			return func() error { return nil }, -1
		}
		return func() error { return w.write(t, at, outcomes, true) }, at
	case "forget":
		return func() error {
			err := writer(t, w.dir).forget(t.Context(), shardOf(door, firstOf+at, "ffff").Span)
			if err == nil {
				delete(w.shards, at)
			}
			return err
		}, at
	}
	return func() error { return sealAll(t.Context(), opened(t, w.dir)) }, -1
}

// write writes a shard, or looks again at what is to be a frame and is a gap.
func (w *folderWorld) write(t *testing.T, at int64, outcomes string, look bool) error {
	writer, shard := writer(t, w.dir), shardOf(door, firstOf+at, outcomes)
	receipt, err := writer.receiptOf(shard)
	if err != nil {
		return err
	}
	if look {
		shard = lookAt(shard, w.shards[at])
	}
	have, err := writer.Write(t.Context(), shard)
	if gone := (*GoneError)(nil); errors.As(err, &gone) {
		return w.write(t, at, outcomes, false)
	}
	if err == nil && proto.Equal(have, receipt) { // else what was there stays
		w.shards[at] = outcomes
	}
	return err
}

// lookAt returns the second look at the gaps of outcomes that a shard comes from.
func lookAt(shard frame.Shard, outcomes string) frame.Shard {
	look := frame.Shard{Span: shard.Span}
	for i := range outcomes {
		if outcomes[i] == 'n' {
			sample := shard.Span.Slice(shard.Span.First+int64(i), shard.Span.First+int64(i)+1)
			look.Again = append(look.Again, sample)
			look.Frames = append(look.Frames, cut(shard, sample).Frames...)
		}
	}
	look.Again = frame.Union(look.Again)
	return look
}

// check holds the dataset against what its shards are to be, but for one that was being
// changed: that it may have as it was, or as it is to be, or not at all.
func (w *folderWorld) check(t *testing.T, rt *rapid.T, but int64) {
	report := verify(t, w.dir)
	if report.Corrupt+report.Missing+report.Damaged+report.Duplicate > 0 || report.Stale {
		rt.Fatalf("verify says %+v", report)
	}
	writer := writer(t, w.dir)
	for at := int64(0); at < 16; at += 4 {
		if at == but {
			continue
		}
		have, err := writer.receiptOfEither(t.Context(), shardOf(door, firstOf+at, "ffff").Span)
		var want *framepb.Receipt
		if outcomes := w.shards[at]; err == nil && outcomes != "" {
			want, err = writer.receiptOf(shardOf(door, firstOf+at, outcomes))
		}
		if err != nil || !proto.Equal(have, want) {
			rt.Fatalf("of shard %d there is %v (%v), want %v", at, have, err, want)
		}
	}
}

// filesIn are the files of a dataset, but those in tmp.
func filesIn(t *testing.T, dir string) map[string]string {
	files := withoutTemp(tree(t, dir))
	maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasSuffix(name, "/") })
	return files
}
