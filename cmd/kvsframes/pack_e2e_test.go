//go:build e2e

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// archived backfills ten minutes of three cameras, the last with a hole.
func archived(t *testing.T) *user {
	t.Helper()
	yard := camera("yard")
	yard.Media = []kvstest.Range{{From: demoStart.Add(5 * time.Minute), To: demoStart.Add(time.Hour)}}
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam"), camera("front.door"), yard}})
	u.must(0, ask(0, 10, "--stream-name", "front.door", "--stream-name", "yard", "--shard-samples", "20")...)
	return u
}

const archivedFrames = 200 + 200 + 100

// TestPack: on every runner, a training set is the same; and it is what the summary
// and the lists say.
func TestPack(t *testing.T) {
	t.Parallel()
	u := archived(t)
	args := []string{
		"--shuffle-seed", "7", "--samples-per-file", "60", "--splits", "train=0.8,val=0.2", "--split-by",
		"sample", "--json",
	}
	o := object(t, u.must(0, append([]string{"pack", "out", "set"}, args...)...))
	wants(t, o, map[string]any{
		"schema": `"kvsframes.pack/1"`, "frames": archivedFrames, "files_missing": 0, "missing_samples": 0,
		"failed_samples": 0,
		"dataset_format": `"webdataset"`, "samples_per_file": 60,
	})
	want := tree(t, filepath.Join(u.dir, "set"))
	files := 0
	for _, split := range o["splits"].([]any) {
		split := split.(map[string]any)
		frames := 0.0
		for i, file := range split["files"].([]any) {
			file := file.(map[string]any)
			if name := fmt.Sprintf("%s-%06d.tar", split["name"], i); file["name"] != name || want[name] == "" {
				t.Errorf("file %d of %s is %v, and %d bytes", i, split["name"], file["name"], len(want[name]))
			}
			frames += file["frames"].(float64)
			files++
		}
		if shards := fmt.Sprintf("%s-{000000..%06d}.tar", split["name"],
			len(split["files"].([]any))-1); split["shards"] != shards || split["frames"] != frames {
			t.Errorf("%v has %v frames in %s, want %v in %s", split["name"], split["frames"], split["shards"], frames, shards)
		}
	}
	if len(want) != files+3 {
		t.Errorf("there are %d files, want %d and three more", len(want), files)
	}
	u.must(0, append([]string{"pack", "out", "prism", "--runner", "prism"}, args...)...)
	sameTree(t, tree(t, filepath.Join(u.dir, "prism")), want)

	b := newBucket(t)
	u.must(0, append([]string{"pack", "out", b.out}, args...)...)
	sameTree(t, b.tree(), want)

	// Again: nothing is made.
	before, err := os.Stat(filepath.Join(u.dir, "set", "train-000000.tar"))
	if err != nil {
		t.Fatal(err)
	}
	u.must(0, append([]string{"pack", "out", "set"}, args...)...)
	after, err := os.Stat(filepath.Join(u.dir, "set", "train-000000.tar"))
	if err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Errorf("a file that was there was made again (%v)", err)
	}
}

func TestPackMistakes(t *testing.T) {
	t.Parallel()
	u := archived(t)
	u.write("file", "")
	u.must(0, "pack", "out", "set", "--stream-name", "cam")
	was := tree(t, filepath.Join(u.dir, "set"))
	for _, test := range []struct {
		args  string
		wants []string
	}{
		{"pack out", []string{"1 places are named"}},
		{"pack nothing new", []string{`"nothing" is not a kvsframes dataset`}},
		{"pack out out", []string{`"out" is not empty and not a packed set: choose another OUT`}},
		{"pack out file/new", []string{"file", "is not a folder"}},
		{"pack out ftp://x/y", []string{"ftp", "s3://BUCKET/PREFIX"}},
		{"pack out set", []string{"--stream-name is not set, but for what set holds it was cam"}},
		{"pack out set --stream-name cam --shuffle-seed 1", []string{"--shuffle-seed is 1", "it was not set"}},
		{"pack out new --dataset-format zip", []string{`--dataset-format is "zip"`, "files, parquet, tfrecord, webdataset"}},
		{"pack out new --samples-per-file 0", []string{`--samples-per-file is "0"`, "1–1000000"}},
		{"pack out new --samples-per-file 5 --file-size 1GB", []string{"both given"}},
		{"pack out new --file-size 1", []string{`--file-size is "1"`, "at least 1MB"}},
		{"pack out new --shuffle-seed x", []string{`--shuffle-seed is "x"`, "whole number"}},
		{"pack out new --splits train=0.9,val=0.2", []string{"--splits", "add up to 1.1"}},
		{"pack out new --splits train", []string{"--splits", "NAME=SHARE"}},
		{"pack out new --splits a-b=1", []string{"a-z, 0-9 and _"}},
		{"pack out new --split-by week", []string{`--split-by is "week"`, "stream, day, sample"}},
		{
			"pack out new --splits train=0.9,val=0.1",
			[]string{"the split val would be empty: there are 3 streams to split", "--split-by day"},
		},
		{
			"pack out new --splits train=0.9,val=0.1 --split-by day",
			[]string{"there is one day to split", "--split-by sample"},
		},
		{
			"pack out new --stream-name front-door",
			[]string{`no stream "front-door"`, "cam, front.door, yard", "did you mean front.door?"},
		},
		{"pack out new --start-timestamp yesterday", []string{`--start-timestamp is "yesterday"`}},
		{"pack out new --start-timestamp 2026-01-02 --end-timestamp 2026-01-01", []string{"the end must be later"}},
		{"pack out new --start-timestamp 2027-01-01", []string{"no frame of out is selected"}},
		{"pack out new --runner flink", []string{"--endpoint is not set", "--parallelism is not set"}},
		{"pack out new --runner flink --endpoint 127.0.0.1:1 --parallelism 2", []string{"there is no Beam job server"}},
		{"pack out new --async", []string{"--async is set, but a pack has still to list its files"}},
		{"pack out new --runner nope", []string{`--runner is "nope"`}},
		{"pack out new --shufle-seed 1", []string{"did you mean --shuffle-seed?"}},
	} {
		o := u.run(strings.Fields(test.args)...)
		if o.status != 2 || o.stdout != "" || !strings.Contains(o.stderr, "Nothing was done") {
			t.Errorf("%s: exit status %d, stdout %q, stderr %s", test.args, o.status, o.stdout, o.stderr)
		}
		for _, want := range test.wants {
			if !strings.Contains(o.stderr, want) {
				t.Errorf("%s: stderr is\n%swant %q", test.args, o.stderr, want)
			}
		}
		if _, err := os.Stat(filepath.Join(u.dir, "new")); err == nil {
			t.Fatalf("%s: something was made", test.args)
		}
	}
	sameTree(t, tree(t, filepath.Join(u.dir, "set")), was)
}

// A dataset that is not complete is packed with a warning; one that is damaged is not.
func TestPackOfAnIncompleteDataset(t *testing.T) {
	t.Parallel()
	u := archived(t)
	mine, err := filepath.Glob(filepath.Join(u.dir, "out", "shards", "cam_*", "*"))
	if err != nil || len(mine) == 0 {
		t.Fatal(mine, err)
	}
	if err := os.RemoveAll(mine[0]); err != nil {
		t.Fatal(err)
	}
	u.must(3, "verify", "out", "--repair")
	o := u.run("pack", "out", "set", "--json")
	if o.status != 0 || !strings.Contains(o.stderr, "warning: out is not complete: 20 samples are missing") {
		t.Errorf("exit status %d, stderr %s", o.status, o.stderr)
	}
	wants(t, object(t, o.stdout), map[string]any{"frames": archivedFrames - 20, "missing_samples": 20})

	shards, err := filepath.Glob(filepath.Join(u.dir, "out", "shards", "yard_*", "*"))
	if err != nil || len(shards) == 0 {
		t.Fatal(shards, err)
	}
	if err := os.RemoveAll(shards[len(shards)-1]); err != nil {
		t.Fatal(err)
	}
	o = u.run("pack", "out", "other")
	for _, want := range []string{
		"packing train-000000.tar: reading the frame of yard at 2026-01-01T00:", "shards/yard_",
		"verify the dataset",
	} {
		if o.status != 1 || o.stdout != "" || !strings.Contains(o.stderr, want) {
			t.Errorf("exit status %d, stdout %q, want %q in stderr:\n%s", o.status, o.stdout, want, o.stderr)
		}
	}
}

// kills is how often TestPackKilled kills; KVSFRAMES_KILLS says another number.
func kills(t *testing.T) int {
	if text := os.Getenv("KVSFRAMES_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 10
}

// packPlace is where a set is packed into.
type packPlace struct {
	bucket             // or a folder, to be looked at as a bucket is while nobody writes
	begun  func() bool // whether there is a description
}

func (u *user) packFolder(i int) packPlace {
	name := fmt.Sprint("set-", i)
	dir := filepath.Join(u.dir, name)
	return packPlace{bucket{u.t, name, func() map[string]string { return tree(u.t, dir) }}, func() bool {
		_, err := os.Stat(filepath.Join(dir, "pack.json"))
		return err == nil
	}}
}

func (u *user) packBucket(int) packPlace {
	b := newBucket(u.t)
	return packPlace{b, func() bool { return b.tree()["pack.json"] != "" }}
}

// packing starts a pack and waits until it has made its description.
func (u *user) packing(out packPlace, args ...string) *running {
	u.t.Helper()
	cmd := u.start(append([]string{"pack", "out", out.out}, args...)...)
	until(u.t, "the pack has begun", out.begun)
	return cmd
}

// TestPackKilled kills packs at random instants, and has the same command do the
// rest, in folders and in buckets.
func TestPackKilled(t *testing.T) {
	t.Parallel()
	u := archived(t)
	arguments := func(format string) []string {
		return []string{
			"--dataset-format", format, "--shuffle-seed", "7", "--samples-per-file", "5", "--splits",
			"train=0.8,val=0.2", "--split-by", "sample",
		}
	}
	formats := []string{"webdataset", "parquet", "files"}
	places := []func(i int) packPlace{u.packFolder, u.packBucket}
	wants := map[string]map[string]string{}
	took := make([]time.Duration, len(places)) // from the description to the end
	for at, place := range places {
		for i, format := range formats {
			out := place(-1 - i)
			cmd := u.packing(out, arguments(format)...)
			began := time.Now()
			if o := finish(t, cmd); o.status != 0 {
				t.Fatal(o)
			}
			took[at] = max(took[at], time.Since(began))
			if wants[format] == nil {
				wants[format] = out.tree()
			}
			sameTree(t, out.tree(), wants[format])
		}
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	inTheMiddle := 0
	for i := range kills(t) {
		format, at := formats[i%len(formats)], i/len(formats)%len(places)
		out := places[at](i)
		cmd := u.packing(out, arguments(format)...)
		time.Sleep(time.Duration(random.Int64N(int64(took[at]))))
		cmd.Process.Kill()
		cmd.Wait()
		files := map[string]bool{}
		for name := range out.tree() {
			if file, _, _ := strings.Cut(name, "/"); strings.Contains(file, "-0") {
				files[file] = true
			}
		}
		if len(files) > 0 && len(files) < archivedFrames/5 {
			inTheMiddle++
		}
		u.must(0, append([]string{"pack", "out", out.out}, arguments(format)...)...)
		sameTree(t, out.tree(), wants[format])
		if _, err := os.Stat(filepath.Join(u.dir, out.out, "tmp")); err == nil {
			t.Error("tmp is still there")
		}
	}
	t.Logf("seed %d: %d of %d were killed with some files there", seed, inTheMiddle, kills(t))
}

// Interrupted, a pack says so, and goes on from there.
func TestPackInterrupted(t *testing.T) {
	t.Parallel()
	u := archived(t)
	args := []string{"pack", "out", "set", "--samples-per-file", "1"}
	cmd := u.start(args...)
	until(t, "a file is there", func() bool {
		there, _ := filepath.Glob(filepath.Join(u.dir, "set", "train-*"))
		return len(there) > 0
	})
	cmd.Process.Signal(os.Interrupt)
	if o := finish(t, cmd); o.status != 0 { // or it was done before
		wantOneLine(t, o, 130, "interrupted: what is written stays")
	}
	wants(t, object(t, u.must(0, append(args, "--json")...)), map[string]any{"files": archivedFrames, "files_missing": 0})
}
