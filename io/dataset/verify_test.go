package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
	"github.com/kvsframes/kvsframes/io/ledger"
)

func verify(t testing.TB, dir string) Report {
	t.Helper()
	report, err := opened(t, dir).Verify(context.Background(), VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	checkEquation(t, report)
	return report
}

func openAndVerify(dir string) (Report, error) {
	ds, err := Open(context.Background(), dir)
	if err != nil {
		return Report{}, err
	}
	return ds.Verify(context.Background(), VerifyOptions{})
}

func checkEquation(t testing.TB, r Report) {
	t.Helper()
	sum := r.Frames + r.Missing + r.Corrupt
	for _, n := range r.Gaps {
		sum += n
	}
	for _, n := range r.Drops {
		sum += n
	}
	if sum != r.Samples+r.Duplicate {
		t.Errorf("frames + gaps + drops + missing + corrupt = %d, samples + duplicate = %d: %+v", sum, r.Samples+r.Duplicate,
			r)
	}
}

func TestVerifyWhole(t *testing.T) {
	dir := create(t)
	want := Report{
		Schema: "kvsframes.verify/1", Dataset: dir, Gaps: map[string]int64{}, Drops: map[string]int64{}, Complete: true,
		Problems: []string{},
	}
	pngs := door
	pngs.Format = frame.PNG
	write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "nn"), shardOf(pngs, 0, "ff"))
	want.Samples, want.Frames, want.Shards = 8, 4, 3
	want.Gaps[frame.NoMedia], want.Drops["SAME"] = 3, 1
	var progress []int64
	got, err := opened(t, dir).Verify(context.Background(), VerifyOptions{Progress: func(done, total int64) {
		progress = append(progress, done)
		if total != 3 {
			t.Errorf("the total is %d, want 3", total)
		}
	}})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Verify = %+v, %v, want %+v", got, err, want)
	}
	if !slices.Equal(progress, []int64{1, 2, 3}) {
		t.Errorf("the progress was %v", progress)
	}
	data, err := json.Marshal(verify(t, create(t)))
	if err != nil || !strings.HasSuffix(string(data),
		`"samples":0,"frames":0,"gaps":{},"drops":{},"missing":0,"duplicate":0,"corrupt":0,"failed":0,"damaged":0,"unasked":0,"foreign":0,"stale":false,"shards":0,"complete":false,"problems":["no request is on record: what the dataset should have is not known"]}`) {
		t.Errorf("the report is written %s, %v", data, err)
	}
}

var (
	damagedShard   = "shards/" + door.ID() + "/20260101T000000000Z-4"
	damagedPicture = damagedShard + "/front~door_20260101T000000000Z.jpg"
	damagedReceipt = "ledger/" + door.ID() + "/20260101T000000000Z-4.json"
	damagedRequest = "requests/" + door.ID() + "/20260101T000000000Z-6.json"
)

// damages are what may happen to a dataset of "fnfd" and "ff".
var damages = map[string]struct {
	spoil   func(t *testing.T, dir string)
	want    Report // what differs from the whole dataset's
	problem string
}{
	"cut picture": {
		func(t *testing.T, dir string) { damage(t, dir, damagedPicture) },
		Report{Frames: -1, Corrupt: 1},
		damagedShard + ": the frame of front.door at 2026-01-01T00:00:00.000Z: it has 20 bytes",
	},
	"empty picture": {
		func(t *testing.T, dir string) { overwrite(t, dir, damagedPicture, nil) },
		Report{Frames: -1, Corrupt: 1},
		"it has 0 bytes",
	},
	"longer picture": {
		func(t *testing.T, dir string) { overwrite(t, dir, damagedPicture, make([]byte, 1<<20)) },
		Report{Frames: -1, Corrupt: 1},
		"more than",
	},
	"changed picture": {
		func(t *testing.T, dir string) { flip(t, filepath.Join(dir, damagedPicture)) },
		Report{Frames: -1, Corrupt: 1},
		"SHA-256",
	},
	"a folder for a picture": {func(t *testing.T, dir string) {
		remove(t, dir, damagedPicture)
		foldertest.Stray(t, dir, damagedPicture+"/x")
	}, Report{Frames: -1, Corrupt: 1}, "is a directory"},
	"no picture": {
		func(t *testing.T, dir string) { remove(t, dir, damagedPicture) },
		Report{Frames: -1, Missing: 1},
		"no such file",
	},
	"no folder": {
		func(t *testing.T, dir string) { remove(t, dir, damagedShard) },
		Report{Frames: -2, Missing: 2},
		"no such file",
	},
	"no shards": {
		func(t *testing.T, dir string) { remove(t, dir, "shards") },
		Report{Frames: -4, Missing: 4},
		"no such file",
	},
	"no receipt": {
		func(t *testing.T, dir string) { remove(t, dir, damagedReceipt) },
		Report{
			Frames: -2, Gaps: map[string]int64{frame.NoMedia: -1}, Drops: map[string]int64{"SAME": -1}, Shards: -1,
			Missing: 4,
		},
		"front.door: 4 samples from 2026-01-01T00:00:00.000Z to 2026-01-01T00:00:09.000Z were asked for",
	},
	"damaged receipt": {
		func(t *testing.T, dir string) { damage(t, dir, damagedReceipt) },
		Report{
			Frames: -2, Gaps: map[string]int64{frame.NoMedia: -1}, Drops: map[string]int64{"SAME": -1}, Shards: -1,
			Missing: 4, Damaged: 1,
		},
		damagedReceipt + " is damaged: cut short",
	},
	"damaged receipt nobody asked for": {
		func(t *testing.T, dir string) { damage(t, dir, damagedReceipt); remove(t, dir, damagedRequest) },
		Report{
			Frames: -2, Gaps: map[string]int64{frame.NoMedia: -1}, Drops: map[string]int64{"SAME": -1}, Shards: -1,
			Missing: 4, Damaged: 1, Unasked: 2,
		},
		damagedReceipt + " is damaged",
	},
	"damaged request": {
		func(t *testing.T, dir string) { damage(t, dir, damagedRequest) },
		Report{Damaged: 1},
		damagedRequest + " is damaged",
	},
	"receipt of pictures elsewhere": {
		func(t *testing.T, dir string) { record(t, dir, shardOf(door, 0, "fnfd"), "shards/elsewhere") },
		Report{
			Frames: -2, Gaps: map[string]int64{frame.NoMedia: -1}, Drops: map[string]int64{"SAME": -1}, Shards: -1,
			Missing: 4, Damaged: 1,
		},
		`they must be at "` + damagedShard,
	},
	"failed": {
		func(t *testing.T, dir string) { write(t, dir, shardOf(door, 6, "fF")) },
		Report{Samples: 2, Frames: 1, Gaps: map[string]int64{frame.Failed: 1}, Failed: 1, Shards: 1},
		"",
	},
	"asked for more": {func(t *testing.T, dir string) {
		if err := ledger.Open(dir).Request(t.Context(), frame.Span{Series: door, First: first - 1, Samples: 3}); err != nil {
			t.Fatal(err)
		}
	}, Report{Samples: 1, Missing: 1}, "1 samples from 2025-12-31T23:59:57.000Z"},
	"overlap": {
		func(t *testing.T, dir string) { write(t, dir, shardOf(door, 3, "fff"), shardOf(door, 2, "fff")) },
		Report{Frames: 6, Shards: 2, Duplicate: 6},
		"ledger/" + door.ID() + "/20260101T000006000Z-3.json: 2 samples from 2026-01-01T00:00:06.000Z to " +
			"2026-01-01T00:00:09.000Z are in a receipt before it, too",
	},
	"overlap inside": {
		func(t *testing.T, dir string) { write(t, dir, shardOf(door, 1, "ff")) },
		Report{Frames: 2, Shards: 1, Duplicate: 2},
		"ledger/" + door.ID() + "/20260101T000003000Z-2.json: 2 samples from 2026-01-01T00:00:03.000Z to " +
			"2026-01-01T00:00:06.000Z are in a receipt before it, too",
	},
	"wrong size": {func(t *testing.T, dir string) {
		shard := shardOf(door, 6, "ff")
		shard.Frames[0].Width = 17
		write(t, dir, shard)
	}, Report{Samples: 2, Frames: 1, Corrupt: 1, Shards: 1}, "it has 16×9 pixels, its receipt says 17×9"},
	"wrong format": {func(t *testing.T, dir string) {
		shard := shardOf(door, 6, "f")
		shard.Frames[0].Data = draw(frame.PNG, 16, 9, 1)
		write(t, dir, shard)
	}, Report{Samples: 1, Corrupt: 1, Shards: 1}, "it is a picture in PNG, its receipt says JPEG"},
	"no picture at all": {func(t *testing.T, dir string) {
		shard := shardOf(door, 6, "f")
		shard.Frames[0].Data = []byte("text")
		write(t, dir, shard)
	}, Report{Samples: 1, Corrupt: 1, Shards: 1}, "it is no picture"},
	"strange files": {func(t *testing.T, dir string) {
		foldertest.Stray(t, dir, damagedShard+"/x")
		foldertest.Stray(t, dir, "shards/y")
		foldertest.Stray(t, dir, "ledger/"+door.ID()+"/z")
	}, Report{Foreign: 2}, damagedShard + "/x: not a file of the dataset"},
	"hidden files": {func(t *testing.T, dir string) {
		foldertest.Stray(t, dir, "shards/.DS_Store")
		foldertest.Stray(t, dir, damagedShard+"/.DS_Store")
	}, Report{}, damagedShard + "/.DS_Store: not a file of the dataset; it does no harm"},
	"a file among the shards": {
		func(t *testing.T, dir string) { foldertest.Stray(t, dir, "shards/"+door.ID()+"/evil.tar") },
		Report{Foreign: 1},
		"shards/" + door.ID() + "/evil.tar: not a file of the dataset: no request and no receipt names it, but loaders " +
			"that read every file of shards/ read it: move it away (repair leaves it)",
	},
	"another format's shard": {
		func(t *testing.T, dir string) {
			foldertest.Stray(t, dir, "shards/"+door.ID()+"/20260101T001200000Z-4.tar")
		},
		Report{Foreign: 1},
		"/20260101T001200000Z-4.tar: not a file of the dataset",
	},
	"a shard of more samples than there are": {
		func(t *testing.T, dir string) {
			foldertest.Stray(t, dir, "shards/"+door.ID()+"/20260101T001200000Z-2147483647/x")
		},
		Report{Foreign: 1},
		"-2147483647: not a file of the dataset",
	},
	"no requests": {
		func(t *testing.T, dir string) { remove(t, dir, "requests") },
		Report{Unasked: 6},
		"front.door: 6 samples from 2026-01-01T00:00:00.000Z to 2026-01-01T00:00:15.000Z are recorded, and no request on " +
			"record asks for them: the same backfill writes down",
	},
	"no request": {
		func(t *testing.T, dir string) { remove(t, dir, damagedRequest) },
		Report{Unasked: 6},
		"6 samples from 2026-01-01T00:00:00.000Z",
	},
	"unfinished": {func(t *testing.T, dir string) {
		asked := shardOf(door, 240, "ffff").Span
		if err := ledger.Open(dir).Request(t.Context(), asked); err != nil {
			t.Fatal(err)
		}
		foldertest.Stray(t, dir, "shards/"+door.ID()+"/"+asked.Name()+"/x")
		foldertest.Stray(t, dir, "shards/other/20260101T001200000Z-4/x")
	}, Report{Samples: 4, Missing: 4, Foreign: 1}, "no receipt knows this shard; it is unfinished work"},
	"a folder of a shard without frames": {func(t *testing.T, dir string) {
		write(t, dir, shardOf(door, 6, "n"))
		foldertest.Stray(t, dir, "shards/"+door.ID()+"/20260101T000018000Z-1/x")
	}, Report{Samples: 1, Gaps: map[string]int64{frame.NoMedia: 1}, Shards: 1, Foreign: 1}, "not a file of the dataset"},
	"a shard of another year": {func(t *testing.T, dir string) {
		foldertest.Stray(t, dir, "shards/"+door.ID()+"/20270101T000000000Z-4/x")
	}, Report{Foreign: 1}, "not a file of the dataset"},
	"a shard of another series": {func(t *testing.T, dir string) {
		foldertest.Stray(t, dir, "shards/evil_123456789abc/20270101T000000000Z-4/x")
	}, Report{Foreign: 1}, "not a file of the dataset"},
	"a shard of samples that others have": {func(t *testing.T, dir string) {
		foldertest.Stray(t, dir, "shards/"+door.ID()+"/20260101T000000000Z-2/x")
	}, Report{Foreign: 1}, "repair removes it"},
	"a folder for the card": {func(t *testing.T, dir string) { foldertest.Stray(t, dir, card.File+"/x") }, Report{}, ""},
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// record puts the receipt of a shard that is not written.
func record(t *testing.T, dir string, shard frame.Shard, path string) {
	t.Helper()
	receipt, err := ledger.NewReceipt(shard, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Open(dir).Put(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyDamage(t *testing.T) {
	for name, test := range damages {
		t.Run(name, func(t *testing.T) {
			dir := create(t)
			write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
			want := verify(t, dir)
			test.spoil(t, dir)
			got := verify(t, dir)
			plus(&want, test.want)
			want.Problems, want.Repairable, want.DamagedRequests = got.Problems, got.Repairable, got.DamagedRequests
			if !reflect.DeepEqual(got, want) {
				t.Errorf("Verify = %+v\nwant     %+v", got, want)
			}
			if test.problem != "" && !slices.ContainsFunc(got.Problems,
				func(p string) bool { return strings.Contains(p, test.problem) }) {
				t.Errorf("the problems are %q, want one of them to say %q", got.Problems, test.problem)
			}
			for range 3 {
				if again := verify(t, dir); !reflect.DeepEqual(again, got) {
					t.Errorf("again Verify = %+v, first %+v", again, got)
				}
			}
			repaired, err := opened(t, dir).Repair(t.Context(), VerifyOptions{})
			if err != nil {
				return // what somebody else put there stands in its way
			}
			takesAway := func(line string) bool { return !strings.Contains(line, "recorded anew") }
			if got.Repairable != slices.ContainsFunc(repaired.Repairs, takesAway) || (got.DamagedRequests > 0) != (name == "damaged request") {
				t.Errorf("Verify = %+v, but the repairs are %q", got, repaired.Repairs)
			}
		})
	}
}

func plus(r *Report, d Report) {
	r.Samples += d.Samples
	r.Frames += d.Frames
	r.Missing += d.Missing
	r.Duplicate += d.Duplicate
	r.Corrupt += d.Corrupt
	r.Failed += d.Failed
	r.Damaged += d.Damaged
	r.Unasked += d.Unasked
	r.Foreign += d.Foreign
	r.Shards += d.Shards
	for _, m := range []struct{ to, from map[string]int64 }{{r.Gaps, d.Gaps}, {r.Drops, d.Drops}} {
		for reason, n := range m.from {
			if m.to[reason] += n; m.to[reason] == 0 {
				delete(m.to, reason)
			}
		}
	}
	r.Stale = r.Stale || d.Stale
	r.Complete = r.Missing+r.Duplicate+r.Corrupt+r.Failed+r.Damaged+r.Unasked+r.Foreign == 0 && !r.Stale
}

func TestVerifyErrors(t *testing.T) {
	for _, dir := range []string{"", "/does/not/exist", t.TempDir(), os.Args[0]} {
		if _, err := Open(t.Context(), dir); !errors.Is(err, ErrNoDataset) {
			t.Errorf("Open(%q): %v, want ErrNoDataset", dir, err)
		}
	}
	dir := create(t)
	write(t, dir, shardOf(door, 0, "fnfd"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := opened(t, dir).Verify(ctx, VerifyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	foldertest.Stray(t, dir, "shards/"+door.ID()+"/x")
	if err := os.RemoveAll(filepath.Join(dir, "ledger")); err != nil {
		t.Fatal(err)
	}
	foldertest.Stray(t, dir, "ledger")
	if _, err := opened(t, dir).Verify(context.Background(), VerifyOptions{}); err == nil {
		t.Error("a ledger that cannot be read is no error")
	}
}

// TestManyProblems: the list stays short, the harmful come first.
func TestManyProblems(t *testing.T) {
	var f findings
	for i := range 250 {
		f.note("note %03d", i)
		f.harm("harm %03d", 249-i)
	}
	got := f.list()
	if len(got) != maxProblems+1 || got[0] != "harm 000" || got[99] != "harm 099" || got[100] != "and 400 more" {
		t.Errorf("%d lines: %q … %q", len(got), got[0], got[len(got)-1])
	}
}
