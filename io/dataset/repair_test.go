package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/internal/own"
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

// repairs are what may happen to a dataset of three shards, and how many of them
// must be fetched again after its repair.
var repairs = map[string]struct {
	spoil  func(t *testing.T, s spot, first, second, third frame.Span)
	again  int
	repair string // what the report must say
}{
	"nothing": {func(*testing.T, spot, frame.Span, frame.Span, frame.Span) {}, 0, ""},
	"a cut file": {func(t *testing.T, s spot, a, _, _ frame.Span) {
		path := s.pictures(t, a)[0]
		s.put(t, path, s.files(t)[path][:20])
	}, 1, "removed with its receipt"},
	"no file": {
		func(t *testing.T, s spot, a, _, _ frame.Span) { s.remove(t, s.pictures(t, a)[0]) }, 1,
		"removed with its receipt",
	},
	"a cut receipt": {
		func(t *testing.T, s spot, a, _, _ frame.Span) { s.put(t, receiptPath(a), `{"series`) }, 1,
		"removed with its pictures",
	},
	"no receipt": {func(t *testing.T, s spot, a, _, _ frame.Span) { s.remove(t, receiptPath(a)) }, 1, ""},
	"a damaged request": {
		func(t *testing.T, s spot, a, _, _ frame.Span) { s.put(t, requestPath(a), "") }, 0,
		"written anew",
	},
	"a request between samples": {func(t *testing.T, s spot, a, _, _ frame.Span) {
		s.put(t, "requests/"+a.Series.ID()+"/20260101T000001000Z-64.json", "{")
	}, 0, "20260101T000001000Z-64.json: removed: cut short"},
	"a request before the epoch": {func(t *testing.T, s spot, a, _, _ frame.Span) {
		s.put(t, "requests/"+a.Series.ID()+"/00260101T000000000Z-64.json", "{")
	}, 0, "00260101T000000000Z-64.json: removed: cut short"},
	"a request under another's name": {func(t *testing.T, s spot, a, _, _ frame.Span) {
		s.put(t, "requests/"+a.Series.ID()+"/20260101T000100000Z-4.json", s.files(t)[requestPath(a)])
		s.remove(t, requestPath(a))
	}, 0, "20260101T000100000Z-4.json: written anew: it is the request for 20260101T000000000Z-4"},
	"a receipt of more samples than there are": {func(t *testing.T, s spot, a, _, _ frame.Span) {
		data, err := framepb.EncodeJSON(&framepb.Receipt{
			Series: framepb.SeriesOf(a.Series), First: a.First, Samples: math.MaxInt32,
			Gaps: []*framepb.GapRun{{Samples: math.MaxInt32, Reason: frame.NoMedia}},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.put(t, receiptPath(a), string(data))
	}, 1, "a shard has at most 10000"},
	"all receipts and requests": {func(t *testing.T, s spot, a, b, c frame.Span) {
		for _, span := range []frame.Span{a, b, c} {
			s.put(t, receiptPath(span), "{")
			s.put(t, requestPath(span), "{")
		}
	}, 3, "removed: no file of this series can be read"},
	"a receipt of pictures elsewhere": {func(t *testing.T, s spot, a, _, _ frame.Span) {
		receipt, err := ledger.Open(s.name).Ask(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		receipt.Path = "shards/elsewhere"
		if err := ledger.Open(s.name).Put(t.Context(), receipt); err != nil {
			t.Fatal(err)
		}
	}, 1, `they must be at "shards/`},
	"a shard inside another": {
		func(t *testing.T, s spot, _, _, _ frame.Span) { write(t, s.name, shardOf(door, 1, "fn")) },
		0, "others have all of its samples",
	},
	"pictures without a receipt, inside another": {func(t *testing.T, s spot, _, _, _ frame.Span) {
		shard := shardOf(door, 1, "fn")
		write(t, s.name, shard)
		s.remove(t, receiptPath(shard.Span))
	}, 0, "no receipt knows it"},
	"everything": {func(t *testing.T, s spot, a, b, _ frame.Span) {
		s.remove(t, s.pictures(t, a)[0])
		s.put(t, receiptPath(b), "{")
		s.put(t, requestPath(a), "{")
		write(t, s.name, shardOf(door, 8, "f"))
	}, 2, "others have all of its samples"},
}

func receiptPath(span frame.Span) string { return ledger.Entry{Span: span}.Path() }
func requestPath(span frame.Span) string {
	return strings.Replace(receiptPath(span), "ledger/", "requests/", 1)
}

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

// TestRepair: what is damaged goes, what is whole stays, and what is then fetched
// again makes the dataset the same as an undisturbed one.
func TestRepair(t *testing.T) {
	t.Parallel()
	shards := []frame.Shard{shardOf(door, 0, "fnfd"), shardOf(door, 4, "fff"), shardOf(door, 7, "nff")}
	a, b, c := shards[0].Span, shards[1].Span, shards[2].Span
	for _, format := range Formats() {
		undisturbed := createIn(t, format)
		write(t, undisturbed, shards...)
		want := spot{name: undisturbed}.files(t)
		t.Run(format, func(t *testing.T) {
			everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
				network := where(t).front != nil
				for name, test := range repairs {
					if network && name != "everything" {
						continue // what is different there is how files go
					}
					s := createAt(t, where, Options{Format: format})
					write(t, s.name, shards...)
					test.spoil(t, s, a, b, c)
					before := verify(t, s.name)
					report := repair(t, s.name)
					if report.Damaged+report.Corrupt+report.Duplicate != 0 ||
						report.Complete != (report.Missing+report.Foreign == 0) || before.Repaired != 0 {
						t.Errorf("%s: Repair = %+v", name, report)
					}
					if said := strings.Join(report.Repairs, "\n"); !strings.Contains(said, test.repair) ||
						(test.repair == "") != (said == "") || (said == "") != (report.Repaired == 0) {
						t.Errorf("%s: %d repairs are %q, want %q", name, report.Repaired, said, test.repair)
					}
					after := verify(t, s.name)
					report.Repaired, report.Repairs = 0, nil
					if fmt.Sprint(after) != fmt.Sprint(report) {
						t.Errorf("%s: Repair = %+v, then Verify = %+v", name, report, after)
					}
					if again := repair(t, s.name); again.Repaired != 0 {
						t.Errorf("%s: repaired again: %q", name, again.Repairs)
					}
					if again := refill(t, s.name, shards...); again != test.again {
						t.Errorf("%s: %d shards were fetched again, want %d", name, again, test.again)
					}
					equalTrees(t, withoutExtraRequests(s.files(t), want), want, name)
				}
			})
		})
	}
}

// TestRepairTrims: of shards that overlap in part what is counted stays, with the
// bytes that a backfill would have written for it.
func TestRepairTrims(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
				s := createAt(t, where, Options{Format: format})
				first, second := shardOf(door, 0, "fnfd"), shardOf(door, 2, "ggngd")
				write(t, s.name, first, second, shardOf(door, 4, "ngd"), shardOf(door, 6, "FF"))
				if before := verify(t, s.name); before.Duplicate != 6 {
					t.Errorf("Verify = %+v", before)
				}
				report := repair(t, s.name)
				if report.Duplicate != 0 || report.Samples != 8 || report.Frames != 3 || report.Failed != 1 ||
					report.Missing+report.Damaged+report.Corrupt != 0 || report.Repaired != 3 {
					t.Errorf("Repair = %+v", report)
				}
				want := createAt(t, where, Options{Format: format})
				write(t, want.name, first, cut(second, frame.Span{Series: door, First: second.Span.First + 2, Samples: 3}),
					shardOf(door, 7, "F"))
				equalTrees(t, withoutExtraRequests(s.files(t), nil), withoutExtraRequests(want.files(t), nil), "trimmed")
			})
		})
	}
}

// TestRepairKilled: what an error, and so a kill, at each step of a repair leaves
// is repaired by the next one, and no more is fetched again.
func TestRepairKilled(t *testing.T) {
	t.Parallel()
	shards := []frame.Shard{shardOf(door, 0, "fnfd"), shardOf(door, 4, "fff"), shardOf(door, 7, "nff")}
	for _, format := range []string{"files", "webdataset"} {
		undisturbed := createIn(t, format)
		write(t, undisturbed, shards...)
		want := spot{name: undisturbed}.files(t)
		for kind, where := range map[string]func(testing.TB) spot{"folder": spots["folder"], "s3": spots["s3"]} {
			steps := 0
			for at := 0; at <= steps; at++ {
				s := createAt(t, where, Options{Format: format})
				write(t, s.name, shards...)
				write(t, s.name, shardOf(door, 1, "fn"), shardOf(door, 8, "ffff"))
				s.put(t, s.pictures(t, shards[1].Span)[0], "x")
				v := newVerifier(opened(t, s.name), VerifyOptions{})
				v.spoiled = make(map[ledger.Entry]bool)
				if err := v.run(context.Background()); err != nil {
					t.Fatal(err)
				}
				killed := &repairer{found: v, writer: writer(t, s.name)}
				count := 0
				killed.writer.step = func(string) error {
					if count++; count-1 == at {
						return syscall.ENOSPC
					}
					return nil
				}
				_, err := killed.run(context.Background())
				steps = max(steps, count)
				if err != nil && !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("%s, %s, step %d: the error is %v", format, kind, at, err)
				}
				when := fmt.Sprintf("%s, %s, step %d", format, kind, at)
				if left := verify(t, s.name); left.Missing+left.Corrupt > 3 {
					t.Errorf("%s: Verify = %+v", when, left)
				}
				if report := repair(t, s.name); report.Missing != 3 || report.Duplicate+report.Corrupt+report.Damaged != 0 {
					t.Errorf("%s: Repair = %+v", when, report)
				}
				if again := refill(t, s.name, shards...); again != 1 {
					t.Errorf("%s: %d shards were fetched again, want 1", when, again)
				}
				trimmed := shardOf(door, 8, "ffff")
				tail := frame.Span{Series: door, First: trimmed.Span.First + 2, Samples: 2}
				got := withoutExtraRequests(s.files(t), want)
				for _, path := range append(s.pictures(t, tail), receiptPath(tail)) {
					if got[path] == "" {
						t.Errorf("%s: %s is lost", when, path)
					}
					delete(got, path)
				}
				equalTrees(t, got, want, when)
			}
			if steps < 4 {
				t.Errorf("%s, %s: only %d steps were tried", format, kind, steps)
			}
		}
	}
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
		if !own.Exists(filepath.Join(s.name, name)) {
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
		report, err := (&repairer{found: v, writer: writer(t, s.name)}).run(context.Background())
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
	for receipt, err := range ledger.Open(dir).All(t.Context()) {
		if err != nil {
			continue
		}
		there := &stored{ctx: context.Background(), store: store.Folder(dir), path: format.Path(receipt.Span())}
		if receipt.Frames == 0 || there.holds(format, receipt) {
			for outcome := range ledger.Outcomes(receipt) {
				samples[outcome.Index] = true
			}
		}
	}
	return samples
}
