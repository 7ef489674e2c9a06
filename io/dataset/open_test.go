package dataset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

func TestCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	want := Options{Format: DefaultFormat, ShardSamples: 50, Transforms: []string{"resize"}}
	options := Options{ShardSamples: 50, Transforms: []string{"resize"}}
	for _, make := range []struct {
		name    string
		f       func(context.Context, string, Options) (Options, error)
		options Options
	}{
		{"Check", Check, options},
		{"Create", makeOne, options},
		{"Create again", makeOne, options},
		{"Create, fields left out", makeOne, Options{}},
		{"Check, fields left out", Check, Options{Format: DefaultFormat}},
	} {
		got, err := make.f(t.Context(), dir, make.options)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %v, %v, want %v", make.name, got, err, want)
		}
		if make.name == "Check" && disk.Exists(filepath.Dir(dir)) {
			t.Error("Check left a trace")
		}
	}
	if got := opened(t, dir); got.Dir() != dir || !reflect.DeepEqual(got.Options(), want) {
		t.Errorf("Open = %v, %v", got.Dir(), got.Options())
	}
	if files := tree(t, dir); len(files) != 1 {
		t.Errorf("the dataset holds %v", files)
	}
	for field, options := range map[string]Options{
		"ShardSamples": {ShardSamples: 51}, "Transforms": {Transforms: []string{}}, "Format": {Format: "one"},
	} {
		container.All["one"] = oneFile{}
		_, err := Create(t.Context(), dir, options)
		delete(container.All, "one")
		var mismatch *MismatchError
		if !errors.As(err, &mismatch) || mismatch.Field != field || mismatch.Dir != dir {
			t.Errorf("%s: %v, want a *MismatchError", field, err)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for want, options := range map[string]Options{
		`"tar" is not known: it must be one of files, parquet, tfrecord, webdataset`: {Format: "tar"},
		"it must be from 1 to 10000": {ShardSamples: -1},
		"ShardSamples is 10001":      {ShardSamples: 10001},
		`Transforms is [""]`:         {Transforms: []string{""}},
		`["resize 2x2" " "]`:         {Transforms: []string{"resize 2x2", " "}},
		`["a\nb"]`:                   {Transforms: []string{"a\nb"}},
		`["\xff"]: it must be lines of text, none of them empty`: {Transforms: []string{"\xff"}},
	} {
		dir := filepath.Join(t.TempDir(), "x")
		if _, err := Create(t.Context(), dir, options); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", options, err, want)
		}
		if disk.Exists(dir) {
			t.Errorf("%+v: a folder is left", options)
		}
	}
}

// TestBadFolders: each is refused by Check and by Create, which leave nothing.
func TestBadFolders(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(t *testing.T, dir string)
		sub     string
		is      error
		want    string
	}{
		"not empty": {
			func(t *testing.T, dir string) { foldertest.Stray(t, dir, "photo.jpg") }, "", ErrNoDataset,
			"choose another folder",
		},
		"tmp alone": {
			func(t *testing.T, dir string) { foldertest.Stray(t, dir, "tmp/x") }, "", ErrNoDataset,
			"choose another folder",
		},
		"an empty tmp": {
			func(t *testing.T, dir string) { foldertest.MakeFolder(t, dir, "tmp") }, "", ErrNoDataset,
			"choose another folder",
		},
		"a pack's": {
			func(t *testing.T, dir string) { foldertest.Stray(t, dir, disk.TempName(".pack.json")) }, "", ErrNoDataset,
			"choose another folder",
		},
		"a file":       {func(t *testing.T, dir string) { foldertest.Stray(t, dir, "x") }, "x", nil, "not a folder"},
		"below a file": {func(t *testing.T, dir string) { foldertest.Stray(t, dir, "x") }, "x/y/z", nil, "not a folder"},
		"cut short": {
			func(t *testing.T, dir string) { describe(t, dir, `{"version":1`) }, "", ErrForeign,
			"dataset.json cannot be read",
		},
		"empty": {func(t *testing.T, dir string) { describe(t, dir, ``) }, "", ErrForeign, "cut short"},
		"version 1, without checksums": {func(t *testing.T, dir string) {
			describe(t, dir, `{"version":1,"format":"files","shardSamples":100}`+"\n")
		}, "", ErrForeign, "it has version 1, this kvsframes knows 3: use the one that wrote it, or choose another folder"},
		"version 2, with an index beside receipts": {func(t *testing.T, dir string) {
			describeWell(t, dir, `{"version":2,"format":"files","shardSamples":100}`+"\n")
		}, "", ErrForeign, "it has version 2, this kvsframes knows 3: use the one that wrote it, or choose another folder"},
		"version 4": {func(t *testing.T, dir string) {
			describeWell(t, dir, `{"version":4,"format":"files","shardSamples":100,"x":1}`+"\n")
		}, "", ErrForeign, "it has version 4, this kvsframes knows 3"},
		"another program's": {
			func(t *testing.T, dir string) { describe(t, dir, `{"name":"coco"}`+"\n") }, "", ErrForeign,
			"version 0",
		},
		"without a checksum": {func(t *testing.T, dir string) {
			describe(t, dir, `{"version":3,"format":"files","shardSamples":100}`+"\n")
		}, "", ErrForeign, "dataset.json cannot be read: it has no checksum"},
		"a field that nobody knows": {func(t *testing.T, dir string) {
			describeWell(t, dir, `{"version":3,"format":"files","shardSamples":100,"tqansforms":["resize 224x224"]}`+"\n")
		}, "", ErrForeign, "tqansforms"},
		"unknown format": {func(t *testing.T, dir string) {
			describeWell(t, dir, `{"version":3,"format":"zarr","shardSamples":100}`+"\n")
		}, "", ErrForeign, "one of files"},
		"no samples": {
			func(t *testing.T, dir string) { describeWell(t, dir, `{"version":3,"format":"files"}`+"\n") }, "",
			ErrForeign, "0 samples a shard",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			test.prepare(t, dir)
			before := tree(t, dir)
			for name, f := range map[string]func(context.Context, string, Options) (Options, error){
				"Check":  Check,
				"Create": makeOne,
			} {
				_, err := f(t.Context(), filepath.Join(dir, test.sub), Options{})
				if err == nil || !strings.Contains(err.Error(), test.want) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("%s: %v, want %q", name, err, test.want)
				}
			}
			equalTrees(t, tree(t, dir), before, "refused")
		})
	}
	if _, err := Check(t.Context(), "", Options{}); err == nil {
		t.Error("no folder is no error")
	}
}

// makeOne is Create, in the form of Check.
func makeOne(ctx context.Context, dir string, want Options) (Options, error) {
	ds, err := Create(ctx, dir, want)
	if err != nil {
		return Options{}, err
	}
	return ds.Options(), nil
}

// describeWell writes a description with its checksum.
func describeWell(t *testing.T, dir, text string) {
	describe(t, dir, string(framepb.AppendChecksum([]byte(text))))
}

func describe(t *testing.T, dir, text string) {
	if err := os.WriteFile(filepath.Join(dir, descriptionFile), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestUnwritable: /proc takes no files, whoever asks.
func TestUnwritable(t *testing.T) {
	if !disk.Exists("/proc/self") {
		t.Skip("no /proc here")
	}
	if _, err := Create(t.Context(), "/proc/kvsframes/x", Options{}); err == nil ||
		!strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("Create in /proc: %v", err)
	}
	dir := create(t)
	foldertest.Stray(t, dir, "tmp") // what cannot be written in
	if _, err := Create(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "cannot be changed") {
		t.Errorf("Create: %v", err)
	}
	if files := tree(t, dir); len(files) != 2 {
		t.Errorf("left behind: %v", files)
	}
}

// TestUnwritableAfterFolders: the folders that were made for a dataset go where
// the first file, whose path is too long here, cannot be written.
func TestUnwritableAfterFolders(t *testing.T) {
	base := t.TempDir()
	dir := base
	for len(dir) < 4070 {
		dir = filepath.Join(dir, strings.Repeat("x", min(200, 4070-len(dir))))
	}
	if _, err := Create(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Skipf("paths have another limit here: %v", err)
	}
	if files := tree(t, base); len(files) > 0 {
		t.Errorf("%d folders are left behind", len(files))
	}
}

// TestFirstWins: a description is never replaced, however close two processes
// come.
func TestFirstWins(t *testing.T) {
	dir := create(t)
	want := tree(t, dir)
	if err := store.MakeFile(t.Context(), store.Folder(dir), descriptionFile, []byte("another process's")); err != nil {
		t.Error(err)
	}
	equalTrees(t, tree(t, dir), want, "a second description")
}

func TestManyCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	var all sync.WaitGroup
	var mu sync.Mutex
	won := make(map[int]int)
	for i := range 24 {
		all.Go(func() {
			want := 10 + i%2
			ds, err := Create(t.Context(), dir, Options{ShardSamples: want})
			mu.Lock()
			defer mu.Unlock()
			var mismatch *MismatchError
			switch {
			case errors.As(err, &mismatch):
			case err != nil:
				t.Error(err)
			case ds.Options().ShardSamples != want:
				t.Errorf("asked for %d, got %d", want, ds.Options().ShardSamples)
			default:
				won[want]++
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Errorf("datasets were made: %v", won)
	}
	for _, n := range won {
		if n != 12 {
			t.Errorf("%d of 12 have the dataset", n)
		}
	}
	if files := tree(t, dir); len(files) != 1 {
		t.Errorf("the dataset holds %v", files)
	}
}

// TestSweep: opening for writing removes what nobody can be writing any more.
func TestSweep(t *testing.T) {
	dir := create(t)
	write(t, dir, shardOf(door, 0, "ffnd"))
	done := shardOf(door, 0, "ffnd").Span
	other := shardOf(door, 4, "ffnd").Span
	name := func(span frame.Span, end string) string {
		return "tmp/" + disk.TempName(span.Series.ID()+"."+span.Name()) + end
	}
	long := time.Now().Add(-25 * time.Hour)
	young := name(other, "")
	for _, name := range []string{name(done, ""), name(done, ".old"), disk.TempName(".dataset.json")} {
		foldertest.Stray(t, dir, name)
	}
	for _, name := range []string{name(other, ""), "tmp/" + disk.TempName(card.File)} {
		foldertest.Stray(t, dir, name)
		if err := os.Chtimes(filepath.Join(dir, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	foldertest.Stray(t, dir, young+"/x")
	if _, err := Create(t.Context(), dir, Options{}); err != nil {
		t.Fatal(err)
	}
	left, want := foldertest.Leftovers(t, dir), []string{filepath.Base(young)}
	if !slices.Equal(left, want) {
		t.Errorf("left is %v, want %v", left, want)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left is %v", left)
	}
	write(t, dir, shardOf(door, 4, "ffnd"))
	if settled(t, dir); disk.Exists(filepath.Join(dir, "tmp")) {
		t.Error("tmp is still there")
	}
}

// TestSweptWhileCreating: a process that comes second may find its description
// swept by the first.
func TestSweptWhileCreating(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if err := store.MakeFile(t.Context(), store.Folder(dir), descriptionFile, []byte("{}")); err != nil {
					t.Error(err)
				}
				ds := &Dataset{dir: dir, store: store.Folder(dir), folder: dir, ledger: ledger.Open(dir)}
				if err := ds.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if files := tree(t, dir); len(files) != 1 {
		t.Errorf("left is %v", files)
	}
}

// TestDescriptionEveryBit: a dataset whose description has a bit flipped anywhere, or is
// cut, is refused by name, with what to do.
func TestDescriptionEveryBit(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(t.Context(), dir, Options{Transforms: []string{"resize 224x224"}}); err != nil {
		t.Fatal(err)
	}
	whole := tree(t, dir)[descriptionFile]
	refused := func(text, how string) {
		describe(t, dir, text)
		_, err := Open(t.Context(), dir)
		if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "choose another folder") {
			t.Errorf("%s: Open: %v", how, err)
		}
	}
	for at := range whole {
		refused(whole[:at], fmt.Sprintf("cut at %d", at))
		for bit := range 8 {
			flipped := []byte(whole)
			flipped[at] ^= 1 << bit
			refused(string(flipped), fmt.Sprintf("%q", flipped))
		}
	}
}
