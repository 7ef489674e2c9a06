package pack

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestPackOfAStaleIndex: receipts that were replaced by others of the same name since
// the index was made, by a writer that was there before it, are what is packed.
func TestPackOfAStaleIndex(t *testing.T) {
	dir := createIn(t, "webdataset")
	write(t, dir, shardOf(door, 0, "fff"), shardOf(door, 3, "nnnnnnnn"))
	refetch := writer(t, dir)
	if _, err := opened(t, dir).Finish(t.Context(), dataset.FinishOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := refetch.Write(t.Context(), shardOf(door, 3, "ffffffff")); err != nil {
		t.Fatal(err)
	}
	if plan := planned(t, dir, Options{}); plan.Set.Frames != 11 {
		t.Errorf("%d frames, want 11", plan.Set.Frames)
	}
}

// TestPackOfHostileReceipts: names that no stream has are refused before anything is
// written, and a size that no file holds takes no memory.
func TestPackOfHostileReceipts(t *testing.T) {
	record := func(change func(r *framepb.Receipt)) (dir string) {
		dir = createIn(t, "webdataset")
		write(t, dir, shardOf(door, 0, "fff"))
		receipt, err := ledger.Open(dir).Read(t.Context(), ledger.Entry{Span: shardOf(door, 0, "fff").Span})
		if err != nil {
			t.Fatal(err)
		}
		change(receipt)
		if len(receipt.Path) > 0 {
			receipt.Path = container.All["webdataset"].Path(receipt.Span())
		}
		if err := ledger.Open(dir).Put(t.Context(), receipt); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for want, change := range map[string]func(r *framepb.Receipt){
		`"a\x1b[2Jb" is no name of a stream`: func(r *framepb.Receipt) { r.Series.StreamName = "a\x1b[2Jb" },
		`"arn:../x" is no ARN of a stream`:   func(r *framepb.Receipt) { r.Series.StreamArn = "arn:../x" },
		`has the format "../x"`:              func(r *framepb.Receipt) { r.Series.Format = "../x" },
	} {
		_, err := NewPlan(t.Context(), opened(t, record(change)), Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%v must contain %s", err, want)
		}
	}
	dir := record(func(r *framepb.Receipt) {
		r.Bytes += math.MaxInt32 - int64(r.Sizes[2])
		r.Sizes[2] = math.MaxInt32
	})
	var before, after runtime.MemStats
	plan := planned(t, dir, Options{})
	runtime.ReadMemStats(&before)
	err := packByHand(plan, dir, filepath.Join(t.TempDir(), "set"), nil)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "its file ends before it") {
		t.Errorf("a picture of 2 GiB: %v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<30 {
		t.Errorf("a picture of 2 GiB took %d bytes of memory", took)
	}
}

// TestPackTellsOfDamagedReceipts: what a damaged receipt had is missing.
func TestPackTellsOfDamagedReceipts(t *testing.T) {
	dir := archive(t, "webdataset")
	name := ledger.Entry{Span: shardOf(door, 0, "ffnfffff").Span}.Path()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if plan := planned(t, dir, Options{}); plan.Missing != 8 || plan.Set.Frames != archiveFrames-7 {
		t.Errorf("%d samples are missing, %d frames there, want 8 and %d", plan.Missing, plan.Set.Frames, archiveFrames-7)
	}
}

// TestPackIntoAHostileSet: what pack.json says is compared, and nothing is named by
// it; nor does it reach a terminal as it is.
func TestPackIntoAHostileSet(t *testing.T) {
	dir, place := archive(t, "webdataset"), filepath.Join(t.TempDir(), "set")
	if err := packByHand(planned(t, dir, Options{}), dir, place, nil); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`{"version":1,"dataset_format":"\u001b[2J` + strings.Repeat("x", 10_000) +
			`","splits":[{"name":"../../outside","share":1,"frames":1,"files":9223372036854775807}]}`,
		`{"version":1,"splits":[{"name":"\u001b"}`,
	} {
		overwrite(t, place, setFile, []byte(text))
		want := tree(t, filepath.Dir(place))
		err := planned(t, dir, Options{}).Create(context.Background(), place)
		if err == nil || strings.ContainsRune(err.Error(), 0x1b) || len(err.Error()) > 5000 {
			t.Errorf("%.100s: %v", text, err)
		}
		equalTrees(t, tree(t, filepath.Dir(place)), want, fmt.Sprintf("%.100s", text))
	}
}

// TestPackIntoTheDataset: a set is not made in a folder of the dataset that it is of,
// where it would be damage; beside those it is.
func TestPackIntoTheDataset(t *testing.T) {
	dir := createIn(t, "files")
	write(t, dir, shardOf(door, 0, "fnfd"))
	plan := planned(t, dir, Options{})
	for _, name := range []string{"shards/new", "ledger/new", "requests", "tmp/new", "x/../shards/new"} {
		err := plan.Create(t.Context(), dir+"/"+name)
		if err == nil || !strings.Contains(err.Error(), "in the dataset's own folder") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := plan.Create(t.Context(), dir+"/set"); err != nil {
		t.Error(err)
	}
	if disk.Exists(filepath.Join(dir, "shards/new")) {
		t.Error("shards/new was made")
	}
}
