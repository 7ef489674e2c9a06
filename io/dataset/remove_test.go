package dataset

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/store"
)

// footage is what a dataset is made of: shards of at most four samples.
type footage struct {
	asked  []frame.Span
	shards []frame.Shard
	lost   []frame.Shard // written, but for their receipts: their writer was killed
}

// filmed are the series of footage: a stream in two ways, and another one.
var filmed = func() []frame.Series {
	slow, yard := door, door
	slow.IntervalMs, yard.StreamName = 6000, "yard"
	return []frame.Series{door, slow, yard}
}()

// drawFootage makes footage of a few series. Some of it no request asks for.
func drawFootage(rt *rapid.T) (f footage) {
	tensors := rapid.Bool().Draw(rt, "tensors")
	for _, series := range filmed {
		at := series.Index(shardtest.First*3000) &^ 3
		for range rapid.IntRange(0, 3).Draw(rt, "spans") {
			at += rapid.Int64Range(0, 6).Draw(rt, "pause")
			outcomes := rapid.StringMatching(`[fgfgndF]{1,14}`).Draw(rt, "outcomes")
			if rapid.IntRange(0, 4).Draw(rt, "asked") > 0 {
				f.asked = append(f.asked, frame.Span{Series: series, First: at, Samples: int64(len(outcomes))})
			}
			for len(outcomes) > 0 {
				n := min(int(4-at%4), len(outcomes))
				shard := shardOf(series, at-shardtest.First, outcomes[:n])
				if tensors {
					shard = withTensors(shard)
				}
				for i := range shard.Frames {
					if rapid.IntRange(0, 5).Draw(rt, "label") == 0 {
						shard.Frames[i].Labels = map[string]string{"class": fmt.Sprint("of ", shard.Frames[i].SampleMs)}
					}
				}
				f.shards = append(f.shards, shard)
				at, outcomes = at+int64(n), outcomes[n:]
			}
		}
	}
	return f
}

// without is the footage as it would be if nobody had asked for some samples.
func (f footage) without(gone []frame.Span) (rest footage) {
	of := func(span frame.Span) []frame.Span {
		return frame.Union(slices.DeleteFunc(slices.Clone(gone), func(g frame.Span) bool { return g.Series != span.Series }))
	}
	for _, span := range f.asked {
		rest.asked = append(rest.asked, frame.Minus([]frame.Span{span}, of(span))...)
	}
	for _, shard := range f.shards {
		for _, span := range frame.Minus([]frame.Span{shard.Span}, of(shard.Span)) {
			rest.shards = append(rest.shards, cut(shard, span))
		}
	}
	return rest
}

// write writes the footage into a dataset.
func (f footage) write(rt rapid.TB, dir string, seal func(dir string)) {
	ctx := context.Background()
	ds, err := Open(ctx, dir)
	if err != nil {
		rt.Fatal(err)
	}
	if err := ds.ledger.Request(ctx, f.asked...); err != nil {
		rt.Fatal(err)
	}
	w := &Writer{of: ds}
	for _, shard := range f.shards {
		if _, err := w.Write(ctx, shard); err != nil {
			rt.Fatal(err)
		}
		seal(dir)
	}
	w.step = func(name string) error {
		if name == "record" {
			return errKilled
		}
		return nil
	}
	for _, shard := range f.lost {
		if _, err := w.Write(ctx, shard); !errors.Is(err, errKilled) {
			rt.Fatal(err)
		}
	}
}

func drawGone(rt *rapid.T) (gone []frame.Span) {
	for range rapid.IntRange(1, 3).Draw(rt, "removals") {
		series := rapid.SampledFrom(filmed).Draw(rt, "series")
		first := series.Index(shardtest.First*3000)&^3 + rapid.Int64Range(-2, 30).Draw(rt, "first")
		gone = append(gone, frame.Span{Series: series, First: first, Samples: rapid.Int64Range(1, 20).Draw(rt, "samples")})
		if rapid.IntRange(0, 3).Draw(rt, "all") == 0 {
			gone[len(gone)-1] = frame.Span{Series: series, Samples: 1<<63 - 1}
		}
	}
	return gone
}

// TestRemoveProperty: whatever is removed, in whatever format and state of the index, and with
// kills at any of its changes, the dataset has the bytes of one that never had it: requests,
// index, catalog and card, too.
func TestRemoveProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		format := rapid.SampledFrom(Formats()).Draw(rt, "format")
		has, gone := drawFootage(rt), drawGone(rt)
		w := newWorld(t, rt, "has", format)
		has.write(rt, w.name, func(dir string) {
			if rapid.IntRange(0, 3).Draw(rt, "seal") == 0 {
				seals(t, dir)
			}
		})
		if rapid.Bool().Draw(rt, "finish") {
			finish(t, w.name)
		}
		before := w.files(t, rt)
		would, err := opened(t, w.name).Removable(rt.Context(), gone...)
		if err != nil {
			rt.Fatal(err)
		}
		if !maps.Equal(w.files(t, rt), before) {
			rt.Fatal("Removable has changed something")
		}
		kills := rapid.IntRange(0, 3).Draw(rt, "kills")
		for i := 0; ; i++ {
			w.lives.Store(-1)
			if i < kills {
				w.lives.Store(rapid.Int64Range(0, 40).Draw(rt, "changes"))
			}
			removed, err := opened(t, w.name).Remove(rt.Context(), gone...)
			w.lives.Store(-1)
			if errors.Is(err, errKilled) {
				continue
			}
			if err != nil {
				rt.Fatal(err)
			}
			if would.Done = true; i == 0 && fmt.Sprint(removed) != fmt.Sprint(would) {
				rt.Fatalf("removed is %+v, it was to be %+v", removed, would)
			}
			break
		}
		never := newWorld(t, rt, "never", format)
		has.without(gone).write(rt, never.name, func(string) {})
		finish(t, never.name)
		wantSame(rt, w.files(t, rt), never.files(t, rt))
		if again, err := opened(t, w.name).Removable(rt.Context(), gone...); err != nil || len(again.Series) > 0 {
			rt.Fatalf("there is still %+v, %v", again, err)
		}
	})
}

func wantSame(rt rapid.TB, got, want map[string]string) {
	for name := range got {
		if have, ok := want[name]; !ok || have != got[name] {
			rt.Errorf("%s is not as in the other: is there: %v", name, ok)
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			rt.Errorf("%s is not there", name)
		}
	}
}

// TestRemoveKilled kills a removal at each of its changes. Whatever is left is complete, or the
// same removal ends it.
func TestRemoveKilled(t *testing.T) {
	const at = 4 - first%4
	asked := footage{asked: []frame.Span{{Series: door, First: first + at, Samples: 16}}, shards: []frame.Shard{
		shardOf(door, at, "ffgf"), shardOf(door, at+4, "fnff"), shardOf(door, at+8, "gdff"), shardOf(door, at+12, "ffff"),
	}}
	unasked := footage{shards: asked.shards}
	part, all := frame.Span{Series: door, First: first + at + 3, Samples: 10}, frame.Span{Series: door, Samples: 1<<63 - 1}
	for _, format := range []string{"files", "webdataset"} {
		for _, seal := range []bool{false, true} {
			for name, has := range map[string]footage{"asked for": asked, "not asked for": unasked} {
				t.Run(fmt.Sprintf("%s, %s, sealed: %v", format, name, seal), func(t *testing.T) {
					killRemove(t, format, seal, has, part)
					killRemove(t, format, seal, has, all)
				})
			}
		}
	}
}

func killRemove(t *testing.T, format string, seal bool, has footage, gone frame.Span) {
	t.Helper()
	never := makeWorld(t, t, rand.Text(), format)
	has.without([]frame.Span{gone}).write(t, never.name, func(string) {})
	finish(t, never.name)
	want := never.files(t, t)
	for changes := 0; ; changes++ {
		w := makeWorld(t, t, rand.Text(), format)
		has.write(t, w.name, func(string) {})
		if seal {
			finish(t, w.name)
		}
		w.lives.Store(int64(changes))
		_, err := opened(t, w.name).Remove(t.Context(), gone)
		w.lives.Store(-1)
		if err == nil {
			if changes < 8 {
				t.Errorf("it was killed %d times only", changes)
			}
			return
		}
		if report := verify(t, w.name); report.Corrupt+report.Damaged > 0 ||
			report.Stale && !strings.Contains(strings.Join(report.Problems, "\n"), "index/") {
			t.Errorf("killed before change %d: %+v", changes, report)
		}
		if _, err := opened(t, w.name).Remove(t.Context(), gone); err != nil {
			t.Fatalf("killed before change %d: %v", changes, err)
		}
		wantSame(t, w.files(t, t), want)
	}
}

// TestRemoveEverywhere: a part of a stream goes, in every place, and then all of it; in a folder
// its folders go, too, and what killed writers have left in tmp. What somebody else keeps stays.
func TestRemoveEverywhere(t *testing.T) {
	yard := door
	yard.StreamName = "yard"
	options := Options{Format: "files"}
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s, never := createAt(t, where, options), createAt(t, where, options)
		left := shardOf(door, 0, "fff")
		write(t, s.name, left, shardOf(door, 3, "ffnd"), shardOf(door, 7, "FFff"), shardOf(yard, 0, "fg"))
		write(t, never.name, left, shardOf(door, 3, "f"), shardOf(yard, 0, "fg"))
		finish(t, s.name)
		part := frame.Span{Series: door, First: first + 4, Samples: 100}
		removed, err := opened(t, s.name).Remove(t.Context(), part)
		if err != nil || removed.Samples != 7 || removed.Frames != 3 || removed.Shards != 2 || removed.Cut != 1 ||
			removed.Bytes == 0 || !removed.Done || len(removed.Series) != 1 ||
			removed.Series[0].FirstSample != "2026-01-01T00:00:12.000Z" ||
			removed.Series[0].LastSample != "2026-01-01T00:00:30.000Z" {
			t.Errorf("removed is %+v, %v", removed, err)
		}
		finish(t, never.name)
		equalTrees(t, s.files(t), never.files(t), "a part")
		if report := verify(t, s.name); !report.Complete || len(report.Problems) > 0 {
			t.Errorf("Verify = %+v", report)
		}

		picture := "shards/" + door.ID() + "/20260101T000000000Z-3/mine.txt"
		s.put(t, picture, "mine")
		all := frame.Span{Series: door, Samples: 1<<63 - 1}
		_, local := s.store(t).(store.Folder)
		before := s.files(t)
		if _, err := opened(t, s.name).Remove(t.Context(), all); local {
			if err == nil || !strings.Contains(err.Error(), "mine.txt is not kvsframes' own") {
				t.Errorf("the error is %v", err)
			}
			equalTrees(t, s.files(t), before, "refused")
		}
		s.remove(t, picture)
		if local {
			leftover := filepath.Join(opened(t, s.name).folder, "tmp", door.ID()+".20260101T000000000Z-3."+rand.Text())
			if err := os.MkdirAll(leftover, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := opened(t, s.name).Remove(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		never = createAt(t, where, options)
		write(t, never.name, shardOf(yard, 0, "fg"))
		finish(t, never.name)
		equalTrees(t, s.files(t), never.files(t), "all")
		if local {
			folder := opened(t, s.name).folder
			equalTrees(t, tree(t, folder), tree(t, opened(t, never.name).folder), "folders")
		}
	})
}

// TestRemoveBeside: a stream is removed while another one is written, sealed and finished.
func TestRemoveBeside(t *testing.T) {
	yard := door
	yard.StreamName = "yard"
	for _, kind := range []string{"folder", "mem"} {
		s, never := createAt(t, spots[kind], Options{}), createAt(t, spots[kind], Options{})
		for i := range int64(10) {
			write(t, s.name, shardOf(door, 4*i, "fnff"))
			if i == 5 {
				seals(t, s.name)
			}
		}
		backfill := func(s spot, i int64) {
			write(t, s.name, shardOf(yard, 4*i, "fgfg"))
			finish(t, s.name)
		}
		var beside sync.WaitGroup
		beside.Go(func() {
			for i := range int64(20) {
				backfill(s, i)
			}
		})
		all := frame.Span{Series: door, Samples: 1<<63 - 1}
		if _, err := opened(t, s.name).Remove(t.Context(), all); err != nil {
			t.Error(err)
		}
		beside.Wait()
		if report := verify(t, s.name); !report.Complete { // receipts were sealed late
			if _, err := opened(t, s.name).Remove(t.Context(), all); err != nil || report.Unasked == 0 {
				t.Errorf("Verify = %+v, then %v", report, err)
			}
		}
		finish(t, s.name)
		for i := range int64(20) {
			backfill(never, i)
		}
		equalTrees(t, s.files(t), never.files(t), kind)
	}
}

// TestRemoveRefuses: nothing goes where what is there of it is not known, or what is to stay is
// damaged.
func TestRemoveRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		path, want string
	}{
		"a picture that stays":    {damagedPicture, damagedShard + " is not as it was written"},
		"a receipt of what stays": {damagedReceipt, damagedReceipt + " is damaged"},
		"a request":               {damagedRequest, damagedRequest + " is damaged"},
	} {
		dir := create(t)
		write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
		overwrite(t, dir, test.path, []byte("x"))
		seals(t, dir) // what can be
		before := tree(t, dir)
		_, err := opened(t, dir).Remove(t.Context(), frame.Span{Series: door, First: first + 2, Samples: 4})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "dataset.Repair") {
			t.Errorf("%s: the error is %v", name, err)
		}
		equalTrees(t, tree(t, dir), before, name)
	}
}

// TestRemoveUnrecorded: pictures that a killed writer has left go, too, where nothing else is.
func TestRemoveUnrecorded(t *testing.T) {
	for _, format := range Formats() {
		dir := createIn(t, format)
		write(t, dir, shardOf(door, 0, "fnfd"))
		finish(t, dir)
		want := tree(t, dir)
		footage{lost: []frame.Shard{shardOf(door, 8, "ff")}}.write(t, dir, nil)
		gone := frame.Span{Series: door, First: first + 9, Samples: 1}
		removed, err := opened(t, dir).Remove(t.Context(), gone)
		if err != nil || len(removed.Series) != 1 || removed.Samples+removed.Shards != 0 {
			t.Errorf("%s: removed is %+v, %v", format, removed, err)
		}
		equalTrees(t, tree(t, dir), want, format)
	}
}
