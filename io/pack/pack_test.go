package pack

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// archive is 35 frames of three series, two of them of one stream and the same
// instants, in shards with gaps and drops.
func archive(t testing.TB, format string) string {
	t.Helper()
	dir := createIn(t, format)
	yard, small := door, door
	yard.StreamName = "yard"
	yard.Format = frame.PNG
	small.WidthPixels, small.HeightPixels = 16, 9
	write(t, dir, shardOf(door, 0, "ffnfffff"), shardOf(door, 8, "nnnnnnnn"), shardOf(door, 16, "fgffffdf"),
		shardOf(yard, 3, "ffffffffff"), shardOf(small, 0, "gggggggggg"), shardOf(small, 10, "gF"))
	return dir
}

const archiveFrames = 7 + 7 + 10 + 10 + 1

var halves = []Split{{"train", 0.7}, {"val", 0.3}}

func planned(t testing.TB, dir string, o Options) *Plan {
	t.Helper()
	plan, err := NewPlan(context.Background(), opened(t, dir), o)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// packByHand packs without Beam, in one bundle, until step fails. Many goroutines
// call it at once.
func packByHand(plan *Plan, dir, place string, step func(name string) error) error {
	ctx := context.Background()
	if err := plan.Create(ctx, place); err != nil {
		return err
	}
	references := make(map[int64][]*framepb.References)
	refer := &referFn{Dir: dir, Where: plan.where}
	for _, work := range plan.works {
		err := refer.ProcessElement(ctx, work, func(file int64,
			r *framepb.References,
		) {
			references[file] = append(references[file], r)
		})
		if err != nil {
			return err
		}
	}
	fn := &writeFn{Params: Params{Dir: dir, Place: place}, Set: plan.Set, Where: plan.where}
	if err := fn.Setup(ctx); err != nil {
		return err
	}
	fn.packer.step = step
	for _, file := range sortedKeys(references) {
		list := references[file]
		slices.Reverse(list) // a GroupByKey promises no order
		next := func(r **framepb.References) bool {
			if len(list) == 0 {
				return false
			}
			*r, list = list[0], list[1:]
			return true
		}
		if err := fn.ProcessElement(ctx, file, next, nil); err != nil {
			return err
		}
	}
	if err := fn.FinishBundle(ctx, func(int64) {}); err != nil {
		return err
	}
	if missing, err := plan.Finish(ctx, place); missing > 0 || err != nil {
		return fmt.Errorf("%d files are missing (%w)", missing, err)
	}
	return nil
}

// TestPackEveryBit: a set whose description has a bit flipped anywhere is refused by
// name; a list of its files is written anew.
func TestPackEveryBit(t *testing.T) {
	dir, place := archive(t, "webdataset"), t.TempDir()
	plan := planned(t, dir, Options{Format: "webdataset", SamplesPerFile: 20})
	if err := packByHand(plan, dir, place, nil); err != nil {
		t.Fatal(err)
	}
	whole := tree(t, place)
	for at := range whole[setFile] {
		for bit := range 8 {
			flipped := []byte(whole[setFile])
			flipped[at] ^= 1 << bit
			overwrite(t, place, setFile, flipped)
			if _, err := Open(t.Context(), place); err == nil || !strings.Contains(err.Error(), "its pack.json cannot be read") {
				t.Fatalf("%s: %v", flipped, err)
			}
		}
	}
	overwrite(t, place, setFile, []byte(whole[setFile]))
	if _, err := framepb.CutChecksum([]byte(whole[shardsFile])); err != nil {
		t.Error(err)
	}
	flip(t, filepath.Join(place, shardsFile))
	if _, err := framepb.CutChecksum([]byte(tree(t, place)[shardsFile])); err == nil {
		t.Error("a flipped bit of shards.json does not show")
	}
	if err := packByHand(plan, dir, place, nil); err != nil {
		t.Error(err)
	}
	equalTrees(t, tree(t, place), whole, "packed again")
}

// TestPackEverywhere: through Beam, from datasets of every format, sets of one
// format are the same in every place; each has every frame once.
func TestPackEverywhere(t *testing.T) {
	for _, format := range dataset.Formats() {
		t.Run(format, func(t *testing.T) {
			o := Options{Format: format, SamplesPerFile: 4, ShuffleSeed: new(int64(5)), Splits: halves, SplitBy: BySample}
			var want map[string]string
			for from := range container.All {
				for name, where := range places {
					if from != "webdataset" && name != "folder" {
						continue // of each, one is enough
					}
					dir, to := archive(t, from), where(t)
					plan := planned(t, dir, o)
					if err := plan.Create(context.Background(), to); err != nil {
						t.Fatal(err)
					}
					p, s := beam.NewPipelineWithRoot()
					Pack(s, Params{Dir: dir, Place: to}, plan)
					ptest.RunAndValidate(t, p)
					if missing, err := plan.Finish(context.Background(), to); missing > 0 || err != nil {
						t.Fatalf("%d files are missing: %v", missing, err)
					}
					got := filesAt(t, to)
					if want == nil {
						want = got
					}
					equalTrees(t, got, want, "from "+from+" into "+name)
				}
			}
		})
	}
}

// tarFrames reads the frames of tars in the order that they stand in.
func tarFrames(t *testing.T, dir, pattern string) (keys []string, pictures map[string][]byte) {
	t.Helper()
	pictures = make(map[string][]byte)
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for r := tar.NewReader(file); ; {
			header, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			key, extension, _ := strings.Cut(header.Name, ".")
			if extension != "json" {
				keys = append(keys, key)
				pictures[key] = data
				continue
			}
			var told struct{ Key string }
			if err := json.Unmarshal(data, &told); err != nil || told.Key != key {
				t.Errorf("%s has the JSON of %s (%v)", key, told.Key, err)
			}
		}
	}
	return keys, pictures
}

// TestPackHasEachFrameOnce, with the picture and the key that the dataset has.
func TestPackHasEachFrameOnce(t *testing.T) {
	dir, place := archive(t, "parquet"), filepath.Join(t.TempDir(), "set")
	plan := planned(t, dir, Options{SamplesPerFile: 4, ShuffleSeed: new(int64(1)), Splits: halves, SplitBy: BySample})
	if err := packByHand(plan, dir, place, nil); err != nil {
		t.Fatal(err)
	}
	keys, pictures := tarFrames(t, place, "*.tar")
	if len(keys) != archiveFrames || len(pictures) != archiveFrames {
		t.Errorf("%d frames are packed under %d keys, want %d", len(keys), len(pictures), archiveFrames)
	}
	files := make(map[string][]byte) // of the same archive
	for name, data := range tree(t, archive(t, "files")) {
		if id, rest, ok := strings.Cut(strings.TrimPrefix(name, "shards/"), "/"); ok && strings.HasSuffix(name, "g") {
			key := strings.TrimSuffix(filepath.Base(rest), filepath.Ext(rest))
			if !strings.HasPrefix(id, "yard") {
				key = id + key[strings.LastIndex(key, "_"):]
			}
			files[key] = []byte(data)
		}
	}
	for key, data := range files {
		if !bytes.Equal(pictures[key], data) {
			t.Errorf("the picture of %s has %d bytes, want %d", key, len(pictures[key]), len(data))
		}
	}
	if len(files) != archiveFrames {
		t.Errorf("%d pictures, want %d", len(files), archiveFrames)
	}
}

// Without a seed frames stand series by series, in time order; with one they do not.
func TestPackOrder(t *testing.T) {
	dir := archive(t, "webdataset")
	order := func(seed *int64) []string {
		place := filepath.Join(t.TempDir(), "set")
		if err := packByHand(planned(t, dir, Options{SamplesPerFile: 10, ShuffleSeed: seed}), dir, place, nil); err != nil {
			t.Fatal(err)
		}
		keys, _ := tarFrames(t, place, "train-*.tar")
		return keys
	}
	plain, one, two := order(nil), order(new(int64(1))), order(new(int64(2)))
	if !slices.IsSorted(plain) {
		t.Errorf("without a seed the order is %v", plain)
	}
	if slices.Equal(one, plain) || slices.Equal(one, two) || !slices.Equal(one, order(new(int64(1)))) {
		t.Errorf("seed 1 orders %v, 2 %v", one, two)
	}
}

// TestPackFindsDamage: a picture that is not what was recorded fails the pack, with
// the file and the picture named, and no part of a file is left.
func TestPackFindsDamage(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"gone":      os.Remove,
		"truncated": func(path string) error { return os.Truncate(path, 9000) },
		"changed": func(path string) error {
			data, err := os.ReadFile(path)
			if err == nil {
				data[512+10] ^= 1 // in the first picture
				err = os.WriteFile(path, data, 0o666)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, place := archive(t, "webdataset"), filepath.Join(t.TempDir(), "set")
			plan := planned(t, dir, Options{})
			shards, err := filepath.Glob(dir + "/shards/yard_*/*.tar")
			if err != nil || len(shards) != 1 {
				t.Fatal(shards, err)
			}
			if err := damage(shards[0]); err != nil {
				t.Fatal(err)
			}
			err = packByHand(plan, dir, place, nil)
			for _, want := range []string{
				"packing train-000000.tar", "the frame of yard at 2026-01-01T00:00:", "shards/yard_",
				"verify the dataset",
			} {
				if !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("%v\nmust contain %q", err, want)
				}
			}
			if got := tree(t, place); len(got) > 2 { // pack.json and tmp
				t.Errorf("there is %v", sortedKeys(got))
			}
		})
	}
}

// A store that does not answer is no proof of damage; one that cuts an object is.
func TestPackFromABucket(t *testing.T) {
	for _, kind := range []string{"s3", "gs"} {
		from, place := createAt(t, places[kind](t), "webdataset"), filepath.Join(t.TempDir(), "set")
		write(t, from, shardOf(door, 0, "ffffffffff"))
		plan := planned(t, from, Options{SamplesPerFile: 4})
		root, err := store.At(from)
		if err != nil {
			t.Fatal(err)
		}
		path := container.All["webdataset"].Path(shardOf(door, 0, "ffffffffff").Span)
		data, err := root.Read(context.Background(), path, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		put := func(data []byte) {
			if err := root.(store.Bucket).Put(context.Background(), path, data); err != nil {
				t.Fatal(err)
			}
		}
		for name, cut := range map[string]int{"cut inside": 6000, "cut to nothing": 0} {
			put(data[:cut])
			if err := packByHand(plan, from, place, nil); err == nil ||
				!strings.Contains(err.Error(), "its file ends before it: verify the dataset") {
				t.Errorf("%s: %v", name, err)
			}
		}
		put(data)
		if err := packByHand(plan, from, place, nil); err != nil {
			t.Error(err)
		}
	}
}

// Another pack into the same place is refused, and says what differs.
func TestPackRefusesAnother(t *testing.T) {
	dir, place := archive(t, "webdataset"), filepath.Join(t.TempDir(), "set")
	if err := packByHand(planned(t, dir, Options{ShuffleSeed: new(int64(5))}), dir, place, nil); err != nil {
		t.Fatal(err)
	}
	want := tree(t, place)
	err := planned(t, dir, Options{
		Format: "parquet", SamplesPerFile: 5,
		Streams: []string{"yard"},
	}).Create(context.Background(), place)
	for _, want := range []string{
		"Format is parquet, but for what " + place + " holds it was webdataset", "SamplesPerFile is 5", "it was 10000",
		"ShuffleSeed is not set", "it was 5", "Streams is yard", "it was not set",
	} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v\nmust contain %q", err, want)
		}
	}
	write(t, dir, shardOf(door, 30, "f"))
	err = planned(t, dir, Options{ShuffleSeed: new(int64(5))}).Create(context.Background(), place)
	if err == nil || !strings.Contains(err.Error(),
		fmt.Sprintf("it had %d frames to pack, and has %d", archiveFrames, archiveFrames+1)) {
		t.Errorf("another selection: %v", err)
	}
	if err := planned(t, dir, Options{}).Create(context.Background(), dir); !errors.Is(err, ErrNoSet) {
		t.Errorf("into a dataset: %v", err)
	}
	equalTrees(t, tree(t, place), want, "refused")
}

// A shard that is written anew between plan and job is found out.
func TestPackFindsAnotherShard(t *testing.T) {
	dir, place := archive(t, "webdataset"), filepath.Join(t.TempDir(), "set")
	plan := planned(t, dir, Options{})
	write(t, dir, shardOf(door, 0, "ffnffffg"))
	if err := packByHand(plan, dir, place, nil); err == nil ||
		!strings.Contains(err.Error(), "has changed since this pack began") {
		t.Error(err)
	}
}

// TestPlanCountsWhatIsMissing, of what is selected.
func TestPlanCountsWhatIsMissing(t *testing.T) {
	dir := archive(t, "webdataset")
	asked := shardOf(door, 20, strings.Repeat("f", 20)).Span // four of them are there
	if err := ledger.Open(dir).Request(t.Context(), asked); err != nil {
		t.Fatal(err)
	}
	if plan := planned(t, dir, Options{}); plan.Missing != 16 || plan.Failed != 1 {
		t.Errorf("%d missing, %d failed, want 16 and 1", plan.Missing, plan.Failed)
	}
	if plan := planned(t, dir, Options{Streams: []string{"yard"}}); plan.Missing != 0 || plan.Failed != 0 {
		t.Errorf("of another stream: %d missing, %d failed", plan.Missing, plan.Failed)
	}
}

func TestPackParamsValidate(t *testing.T) {
	err := Params{Place: "ftp://x"}.Validate()
	for _, want := range []string{"Params.Dir is empty", "Params.Place", "ftp"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v must contain %q", err, want)
		}
	}
}
