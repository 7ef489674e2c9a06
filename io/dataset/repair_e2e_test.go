//go:build e2e

package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

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
		"no receipt knew it",
	},
	"no receipt": {func(t *testing.T, s spot, a, _, _ frame.Span) { s.remove(t, receiptPath(a)) }, 1, "no receipt knew it"},
	"a damaged request": {
		func(t *testing.T, s spot, a, _, _ frame.Span) { s.put(t, requestPath(asked(a)), "") }, 0,
		"written anew",
	},
	"a request between samples": {func(t *testing.T, s spot, a, _, _ frame.Span) {
		s.put(t, "requests/"+a.Series.ID()+"/20260101T000001000Z-64.json", "{")
	}, 0, "20260101T000001000Z-64.json: removed: cut short"},
	"a request before the epoch": {func(t *testing.T, s spot, a, _, _ frame.Span) {
		s.put(t, "requests/"+a.Series.ID()+"/00260101T000000000Z-64.json", "{")
	}, 0, "00260101T000000000Z-64.json: removed: cut short"},
	"a request under another's name": {func(t *testing.T, s spot, a, _, _ frame.Span) {
		s.put(t, "requests/"+a.Series.ID()+"/20260101T000100000Z-4.json", s.files(t)[requestPath(asked(a))])
		s.remove(t, requestPath(asked(a)))
	}, 0, "20260101T000100000Z-4.json: written anew: it is the request for 20260101T000000000Z-10"},
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
		}
		s.put(t, requestPath(asked(a)), "{")
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
		s.put(t, requestPath(asked(a)), "{")
		write(t, s.name, shardOf(door, 8, "f"))
	}, 2, "others have all of its samples"},
}

// asked is what is asked for of the three shards, the first of which is given.
func asked(first frame.Span) frame.Span { return first.Slice(first.First, first.First+10) }

// TestRepair: what is damaged goes, what is whole stays, and what is then fetched
// again makes the dataset the same as an undisturbed one.
func TestRepair(t *testing.T) {
	t.Parallel()
	shards := []frame.Shard{shardOf(door, 0, "fnfd"), shardOf(door, 4, "fnf"), shardOf(door, 7, "nff")}
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
						report.Complete != (report.Missing+report.Foreign+report.Failed == 0) || before.Repaired != 0 {
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

// TestRepairKilled: what an error, and so a kill, at each step of a repair leaves
// is repaired by the next one, and no more is fetched again.
func TestRepairKilled(t *testing.T) {
	t.Parallel()
	shards := []frame.Shard{shardOf(door, 0, "fnfd"), shardOf(door, 4, "fff"), shardOf(door, 7, "nff")}
	for _, format := range []string{"files", "webdataset"} {
		undisturbed := createIn(t, format)
		write(t, undisturbed, shards...)
		want := withoutExtraRequests(spot{name: undisturbed}.files(t), nil)
		for kind, where := range map[string]func(testing.TB) spot{"folder": spots["folder"], "s3": spots["s3"]} {
			steps := 0
			for at := 0; at <= steps; at++ {
				s := createAt(t, where, Options{Format: format})
				write(t, s.name, shards...)
				write(t, s.name, shardOf(door, 1, "fn"), shardOf(door, 8, "ffff"))
				// No header tells of it: where a kill leaves the file without its receipt, nobody could.
				path, picture := s.pictures(t, shards[1].Span)[0], shards[1].Frames[0].Data
				data := []byte(s.files(t)[path])
				data[bytes.Index(data, picture)+len(picture)-3] ^= 1
				s.put(t, path, string(data))
				v := newVerifier(opened(t, s.name), VerifyOptions{})
				v.spoiled = make(map[ledger.Entry]bool)
				if err := v.run(context.Background()); err != nil {
					t.Fatal(err)
				}
				killed := &repairer{found: v, writer: writer(t, s.name), done: new(findings)}
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
				got := withoutExtraRequests(s.files(t), nil)
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

// TestRepairTrims: of shards that overlap in part what is counted stays, with the
// bytes that a backfill would have written for it.
func TestRepairTrims(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
				options := Options{Format: format, Transforms: []string{"resize 16x9"}}
				s := createAt(t, where, options)
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
				want := createAt(t, where, options)
				write(t, want.name, first, cut(second, frame.Span{Series: door, First: second.Span.First + 2, Samples: 3}),
					shardOf(door, 7, "F"))
				equalTrees(t, withoutExtraRequests(s.files(t), nil), withoutExtraRequests(want.files(t), nil), "trimmed")
			})
		})
	}
}

func requestPath(span frame.Span) string {
	return strings.Replace(receiptPath(span), "ledger/", "requests/", 1)
}
