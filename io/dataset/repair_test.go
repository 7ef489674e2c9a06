package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

func repair(t testing.TB, dir string) Report {
	t.Helper()
	report, err := opened(t, dir).Repair(context.Background(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	checkEquation(t, report)
	return report
}

// refill writes the shards that the ledger does not have, as a backfill does, and
// returns how many they are.
func refill(t testing.TB, dir string, shards ...frame.Shard) (written int) {
	t.Helper()
	w := writer(t, dir)
	for _, shard := range shards {
		if err := ledger.Open(dir).Request(t.Context(), shard.Span); err != nil {
			t.Fatal(err)
		}
		if receipt, err := ledger.Open(dir).Ask(t.Context(), shard.Span); err != nil || receipt != nil {
			continue
		}
		if _, err := w.Write(context.Background(), shard); err != nil {
			t.Fatal(err)
		}
		written++
	}
	return written
}

func receiptPath(span frame.Span) string { return ledger.Entry{Span: span}.Path() }

// pictures lists the files of a shard.
func (s spot) pictures(t testing.TB, span frame.Span) []string {
	path := fmt.Sprintf("shards/%s/%s", span.Series.ID(), span.Name())
	var names []string
	for name := range s.files(t) {
		if strings.HasPrefix(name, path+".") || strings.HasPrefix(name, path+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// withoutExtraRequests leaves out what was asked for on the way.
func withoutExtraRequests(files, want map[string]string) map[string]string {
	maps.DeleteFunc(files, func(name, _ string) bool {
		_, wanted := want[name]
		return strings.HasPrefix(name, "requests/") && !wanted
	})
	return files
}

// TestRepairLeaves: what could not be read, and what no receipt knows, stays.
func TestRepairLeaves(t *testing.T) {
	onNetworks(t, func(t *testing.T, where func(testing.TB) spot) {
		s := createAt(t, where, Options{})
		write(t, s.name, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
		s.put(t, damagedPicture, "x")
		s.put(t, receiptPath(shardOf(door, 4, "ff").Span), "{")
		want := s.files(t)
		s.front.Set(func(w http.ResponseWriter, r *http.Request) bool {
			return strings.Contains(r.URL.Path, "20260101T000006000Z.jpg") && answer(w, http.StatusForbidden, "AccessDenied")
		})
		if report, err := opened(t, s.name).Repair(context.Background(), VerifyOptions{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Repair = %+v, %v", report, err)
		}
		s.front.Set(nil)
		equalTrees(t, s.files(t), want, "refused in the middle")
	})

	s := spot{name: create(t)}
	write(t, s.name, shardOf(door, 0, "fnfd"))
	path := filepath.Join(s.name, damagedPicture)
	if err := errors.Join(os.Remove(path), os.Symlink("/proc/self/mem", path)); err != nil { // EIO, for root, too
		t.Fatal(err)
	}
	s.put(t, damagedShard+"/x", "x")
	s.put(t, "shards/"+door.ID()+"/20260101T001200000Z-4/x", "x")
	s.put(t, "shards/y", "x")
	s.put(t, "ledger/z", "x")
	if report := repair(t, s.name); report.Repaired != 0 || report.Corrupt != 1 || report.Complete {
		t.Errorf("Repair = %+v", report)
	}
	if left, err := os.Readlink(path); err != nil || left == "" {
		t.Error(err)
	}
	for _, name := range []string{
		damagedShard + "/x", "shards/" + door.ID() + "/20260101T001200000Z-4/x", "shards/y",
		"ledger/z", damagedReceipt,
	} {
		if !disk.Exists(filepath.Join(s.name, name)) {
			t.Errorf("%s is gone", name)
		}
	}
}

// TestRepairLooksTwice: a shard that a backfill replaces between the two looks
// stays.
func TestRepairLooksTwice(t *testing.T) {
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := createAt(t, where, Options{})
		write(t, s.name, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
		want := s.files(t)
		s.put(t, damagedPicture, "x")
		s.put(t, receiptPath(shardOf(door, 4, "ff").Span), "{")
		v := newVerifier(opened(t, s.name), VerifyOptions{})
		v.spoiled = make(map[ledger.Entry]bool)
		if err := v.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		write(t, s.name, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
		report, err := (&repairer{found: v, writer: writer(t, s.name), done: new(findings)}).run(context.Background())
		if err != nil || report.Repaired != 0 {
			t.Errorf("Repair = %+v, %v", report, err)
		}
		equalTrees(t, s.files(t), want, "repaired")
	})
}

// TestRepairAnything: whatever shards overlap and whatever file is damaged, after
// one repair nothing is damaged or twice, no sample that was whole is lost, and
// what is missing can be written.
func TestRepairAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		dir := createIn(t, "webdataset")
		n := rapid.IntRange(1, 6).Draw(rt, "shards")
		for range n {
			outcomes := rapid.StringOfN(rapid.SampledFrom([]rune("ffnFd")), 1, 6, -1).Draw(rt, "outcomes")
			write(t, dir, shardOf(door, int64(rapid.IntRange(0, 12).Draw(rt, "at")), outcomes))
		}
		var names []string
		for name := range (spot{name: dir}).files(t) {
			if name != descriptionFile {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 3, rapid.ID).Draw(rt, "damaged") {
			damage(t, dir, name)
		}
		samples := recordedWhole(t, dir)
		report := repair(t, dir)
		if report.Damaged+report.Corrupt+report.Duplicate != 0 {
			rt.Errorf("Repair = %+v", report)
		}
		after := recordedWhole(t, dir)
		for index := range samples {
			if !after[index] {
				rt.Errorf("sample %d is lost", index-first)
			}
		}
		if again := repair(t, dir); again.Repaired != 0 {
			rt.Errorf("repaired again: %q", again.Repairs)
		}
	})
}

// recordedWhole lists the samples of receipts whose pictures are whole.
func recordedWhole(t *testing.T, dir string) map[int64]bool {
	t.Helper()
	samples := make(map[int64]bool)
	format, err := container.Of("webdataset")
	if err != nil {
		t.Fatal(err)
	}
	for recorded, err := range ledger.Open(dir).All(t.Context()) {
		if err != nil {
			continue
		}
		receipt := recorded.Receipt
		there := &stored{ctx: context.Background(), store: store.Folder(dir), path: format.Path(receipt.Span())}
		if receipt.Frames == 0 || there.holds(format, receipt) {
			for outcome := range ledger.Outcomes(receipt) {
				samples[outcome.Index] = true
			}
		}
	}
	return samples
}
