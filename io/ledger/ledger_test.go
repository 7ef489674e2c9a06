package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/framepb"
)

var door = framepb.Series{
	StreamName: "front.door", ImageSelectorType: "PRODUCER_TIMESTAMP", IntervalMs: 3000, PhaseMs: 500, Format: framepb.JPEG,
}

func span(first, samples int64) framepb.Span {
	return framepb.Span{Series: door, First: first, Samples: samples}
}

// shardOf makes a shard with one sample a letter: f a frame, n and F gaps
// (NO_MEDIA, FAILED), d a drop.
func shardOf(first int64, outcomes string) framepb.Shard {
	shard := framepb.Shard{Span: span(first, int64(len(outcomes)))}
	for i, c := range outcomes {
		at := door.At(first + int64(i))
		switch c {
		case 'f':
			shard.Frames = append(shard.Frames, framepb.Frame{
				Stream: door.StreamName, SampleMs: at, ImageMs: at + int64(i%3) - 1, Format: framepb.JPEG,
				Width: 640, Height: 480, Data: fmt.Appendf(nil, "picture at %d", at),
			})
		case 'n':
			shard.Gaps = append(shard.Gaps, framepb.Gap{SampleMs: at, Reason: framepb.NoMedia})
		case 'F':
			shard.Gaps = append(shard.Gaps, framepb.Gap{SampleMs: at, Reason: framepb.Failed, Cause: "no route"})
		case 'd':
			shard.Drops = append(shard.Drops, framepb.Drop{SampleMs: at, Reason: "SAME"})
		}
	}
	return shard
}

func receiptOf(t testing.TB, first int64, outcomes string) *framepb.Receipt {
	t.Helper()
	receipt, err := NewReceipt(shardOf(first, outcomes), "shards/here")
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func put(t testing.TB, l *Ledger, first int64, outcomes string) *framepb.Receipt {
	t.Helper()
	receipt := receiptOf(t, first, outcomes)
	if err := l.Put(receipt); err != nil {
		t.Fatal(err)
	}
	return receipt
}

// tree maps every path below dir to its content; folders end in a slash.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			files[name+"/"] = ""
			return nil
		}
		data, err := os.ReadFile(path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func equalTrees(t testing.TB, got, want map[string]string, when string) {
	t.Helper()
	for name, data := range want {
		if have, ok := got[name]; !ok || have != data {
			t.Errorf("%s: %s is there: %v, same: %v", when, name, ok, have == data)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is left over", when, name)
		}
	}
}

func TestPutAskRemove(t *testing.T) {
	l := Open(t.TempDir())
	if got, err := l.Ask(span(100, 4)); got != nil || err != nil {
		t.Fatalf("an empty ledger answers %v, %v", got, err)
	}
	want := put(t, l, 100, "ffnd")
	got, err := l.Ask(span(100, 4))
	if err != nil || !proto.Equal(got, want) {
		t.Fatalf("Ask = %v, %v, want %v", got, err, want)
	}
	for _, other := range []framepb.Span{span(100, 3), span(101, 4), {Series: framepb.Series{StreamName: "x", IntervalMs: 3000}, First: 100, Samples: 4}} {
		if got, err := l.Ask(other); got != nil || err != nil {
			t.Errorf("Ask(%v) = %v, %v, want none", other, got, err)
		}
	}
	if err := l.Remove(span(100, 4)); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Ask(span(100, 4)); got != nil || err != nil {
		t.Errorf("after Remove Ask = %v, %v", got, err)
	}
	if err := l.Remove(span(100, 4)); err != nil {
		t.Errorf("removing what is not there: %v", err)
	}
}

// TestFailed: a failed receipt is not the end of its shard, a complete one is,
// in whatever order they are put.
func TestFailed(t *testing.T) {
	l := Open(t.TempDir())
	failed := put(t, l, 0, "fF")
	if got, err := l.Ask(span(0, 2)); got != nil || err != nil {
		t.Fatalf("Ask of a failed shard = %v, %v, want none", got, err)
	}
	entry := Entry{Span: span(0, 2), Failed: true}
	if got, err := l.Have(door); err != nil || !slices.Equal(got, []Entry{entry}) {
		t.Fatalf("Have = %v, %v", got, err)
	}
	if got, err := l.Read(entry); err != nil || !proto.Equal(got, failed) {
		t.Fatalf("Read = %v, %v", got, err)
	}
	complete := put(t, l, 0, "ff")
	want := tree(t, l.dir)
	put(t, l, 0, "fF")
	equalTrees(t, tree(t, l.dir), want, "a failed receipt after a complete one")
	if got, err := l.Ask(span(0, 2)); err != nil || !proto.Equal(got, complete) {
		t.Fatalf("Ask = %v, %v", got, err)
	}
	if len(want) != 3 {
		t.Errorf("the ledger holds %v, want the complete receipt alone", want)
	}
}

// TestBothReceipts: what a failed shard's slow writer may leave.
func TestBothReceipts(t *testing.T) {
	l := Open(t.TempDir())
	put(t, l, 0, "ff")
	failed := receiptOf(t, 0, "fF")
	if err := l.write(failed.Span(), Entry{Span: failed.Span(), Failed: true}.Path(), failed); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Have(door); err != nil || !slices.Equal(got, []Entry{{Span: span(0, 2)}}) {
		t.Errorf("Have = %v, %v, want the complete one", got, err)
	}
}

func TestPutRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*framepb.Receipt){
		"no series":      func(r *framepb.Receipt) { r.Series = nil },
		"interval":       func(r *framepb.Receipt) { r.Series.IntervalMs = 0 },
		"phase":          func(r *framepb.Receipt) { r.Series.PhaseMs = 3000 },
		"no samples":     func(r *framepb.Receipt) { r.Samples = 0 },
		"before 1970":    func(r *framepb.Receipt) { r.First = -1 },
		"frames":         func(r *framepb.Receipt) { r.Frames++ },
		"bytes":          func(r *framepb.Receipt) { r.Bytes++ },
		"sizes":          func(r *framepb.Receipt) { r.Sizes = r.Sizes[1:] },
		"a size of 0":    func(r *framepb.Receipt) { r.Bytes -= int64(r.Sizes[0]); r.Sizes[0] = 0 },
		"hashes":         func(r *framepb.Receipt) { r.Sha256 = r.Sha256[1:] },
		"offsets":        func(r *framepb.Receipt) { r.ImageOffsetsMs = nil },
		"widths":         func(r *framepb.Receipt) { r.Widths = nil },
		"heights":        func(r *framepb.Receipt) { r.Heights = append(r.Heights, 1) },
		"path outside":   func(r *framepb.Receipt) { r.Path = "../../etc" },
		"no path":        func(r *framepb.Receipt) { r.Path = "" },
		"format":         func(r *framepb.Receipt) { r.Format = "GIF" },
		"gap beyond":     func(r *framepb.Receipt) { r.Gaps[0].Offset = 3; r.Gaps[0].Samples = 9 },
		"gap of nothing": func(r *framepb.Receipt) { r.Gaps[0].Samples = 0 },
		"no reason":      func(r *framepb.Receipt) { r.Gaps[0].Reason = "" },
		"overlap":        func(r *framepb.Receipt) { r.Drops[0].Offset = r.Gaps[0].Offset },
		"gap count":      func(r *framepb.Receipt) { r.Gaps[0].Samples++ },
		"null gap":       func(r *framepb.Receipt) { r.Gaps[0] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			l := Open(t.TempDir())
			receipt := receiptOf(t, 0, "fnfdff")
			spoil(receipt)
			if err := l.Put(receipt); err == nil {
				t.Error("Put took it")
			}
			if left := tree(t, l.dir); len(left) > 0 {
				t.Errorf("Put left %v", left)
			}
		})
	}
}

// TestDamaged cuts a receipt at every byte and turns over every byte: it is the
// same receipt, or it counts as not there and says why.
func TestDamaged(t *testing.T) {
	l := Open(t.TempDir())
	want := put(t, l, 0, "fnfFffd"[:3]+"dff")
	entry := Entry{Span: want.Span()}
	path := filepath.Join(l.dir, entry.Path())
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(data []byte, what string, mustFail bool) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := l.Ask(want.Span())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got != nil && mustFail {
			t.Errorf("%s: taken for whole", what)
		}
		if got != nil && check(got, entry) != nil {
			t.Errorf("%s: a receipt that is not valid", what)
		}
		_, err = l.Read(entry)
		var damaged *DamagedError
		if got == nil && (!errors.As(err, &damaged) || damaged.Entry != entry || damaged.Path != entry.Path()) {
			t.Errorf("%s: Read says %v", what, err)
		}
	}
	for i := range whole {
		ask(whole[:i], fmt.Sprintf("cut at byte %d", i), true)
		for _, b := range []byte{whole[i] ^ 1, whole[i] ^ 0x80, 0} {
			flipped := slices.Clone(whole)
			flipped[i] = b
			ask(flipped, fmt.Sprintf("byte %d is %q", i, b), false)
		}
	}
	other, err := framepb.EncodeJSON(receiptOf(t, 6, "ffffff"))
	if err != nil {
		t.Fatal(err)
	}
	ask(other, "another shard's", true)
	if failed, err := framepb.EncodeJSON(receiptOf(t, 0, "fffffF")); err != nil {
		t.Fatal(err)
	} else {
		ask(failed, "a failed one under a complete name", true)
	}
	newer := strings.Replace(string(whole), "{", `{"laterField":[1],`, 1)
	ask([]byte(newer), "with a later version's field", false)
	if got, _ := l.Ask(want.Span()); !proto.Equal(got, want) {
		t.Error("a later version's field makes the receipt another one")
	}
}

// TestUnreadable: what cannot be read is an error, not "not there".
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	l := Open(dir)
	if err := os.MkdirAll(filepath.Join(dir, Entry{Span: span(0, 1)}.Path()), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Ask(span(0, 1)); err == nil {
		t.Error("Ask reads a folder")
	}
	if err := os.WriteFile(filepath.Join(dir, "tmp"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Put":     l.Put(receiptOf(t, 5, "f")),
		"Request": l.Request(span(5, 1)),
	} {
		if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "tmp")) {
			t.Errorf("%s with a file for tmp: %v, want an error that names it", name, err)
		}
	}
	if _, err := Open(filepath.Join(dir, "tmp")).Have(door); err == nil {
		t.Error("Have lists a file")
	}
}

// TestKill looks at what a kill, or an error, at each step of Put would leave,
// and puts the receipt again.
func TestKill(t *testing.T) {
	undisturbed := Open(t.TempDir())
	put(t, undisturbed, 0, "ff")
	want := tree(t, undisturbed.dir)
	for _, before := range []string{"", "fF", "ff"} {
		steps := 0
		for at := 0; at <= steps; at++ {
			l := Open(t.TempDir())
			if before != "" {
				put(t, l, 0, before)
			}
			kill := filepath.Join(t.TempDir(), "killed")
			count := 0
			l.step = func(string) error {
				if count++; count-1 == at {
					if err := os.CopyFS(kill, os.DirFS(l.dir)); err != nil {
						t.Fatal(err)
					}
					return errors.New("no space left")
				}
				return nil
			}
			err := l.Put(receiptOf(t, 0, "ff"))
			steps = max(steps, count)
			if err != nil {
				if _, err := os.Stat(filepath.Join(l.dir, "tmp")); err == nil {
					t.Errorf("before %q, error at step %d: tmp is left", before, at)
				}
				killed := Open(kill)
				if got, err := killed.Ask(span(0, 2)); err != nil || got != nil && before != "ff" && !proto.Equal(got, receiptOf(t, 0, "ff")) {
					t.Errorf("before %q, killed at step %d: Ask = %v, %v", before, at, got, err)
				}
				put(t, killed, 0, "ff")
				equalTrees(t, tree(t, kill), want, fmt.Sprintf("before %q, killed at step %d", before, at))
			}
			l.step = nil
			put(t, l, 0, "ff")
			equalTrees(t, tree(t, l.dir), want, fmt.Sprintf("before %q, error at step %d", before, at))
		}
		if steps < 3 {
			t.Errorf("%d steps were tried", steps)
		}
	}
}

// TestManyWriters has many writers put the same receipts and requests at once.
func TestManyWriters(t *testing.T) {
	undisturbed, dir := Open(t.TempDir()), t.TempDir()
	var receipts []*framepb.Receipt
	for i := range int64(10) {
		receipts = append(receipts, put(t, undisturbed, i*4, "ffnf"))
	}
	if err := undisturbed.Request(span(0, 40), span(3, 4)); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			l := Open(dir)
			if err := l.Request(span(0, 40), span(3, 4)); err != nil {
				t.Error(err)
			}
			for _, receipt := range receipts {
				if err := l.Put(receipt); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	equalTrees(t, tree(t, dir), tree(t, undisturbed.dir), "8 writers")
}

func TestSweepAndTemp(t *testing.T) {
	l := Open(t.TempDir())
	if err := l.Sweep(0); err != nil {
		t.Errorf("sweeping an empty ledger: %v", err)
	}
	dir, discard, err := l.Temp(span(0, 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Temp(span(0, 2)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "part"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := l.Sweep(sweepNothing); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "part")); err != nil {
		t.Errorf("a young file was swept: %v", err)
	}
	discard()
	if _, err := os.Stat(dir); err == nil {
		t.Error("discard left the folder")
	}
	if err := os.WriteFile(filepath.Join(l.dir, "tmp", "stray"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := l.Sweep(-sweepNothing); err != nil {
		t.Fatal(err)
	}
	if left := tree(t, l.dir); len(left) > 0 {
		t.Errorf("Sweep left %v", left)
	}
}

const sweepNothing = 1 << 40

// TestClearsOnlyItsOwn: completing a shard removes what killed writers left of
// it, and nothing of the shard beside it.
func TestClearsOnlyItsOwn(t *testing.T) {
	l := Open(t.TempDir())
	mine, _, err := l.Temp(span(0, 10))
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := l.Temp(span(0, 100))
	if err != nil {
		t.Fatal(err)
	}
	put(t, l, 0, "ffffffffff")
	if _, err := os.Stat(mine); err == nil {
		t.Error("the leftover is still there")
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("another shard's folder is gone: %v", err)
	}
}

func TestRequests(t *testing.T) {
	l := Open(t.TempDir())
	if got, err := l.Requests(); got != nil || err != nil {
		t.Fatalf("Requests of an empty ledger = %v, %v", got, err)
	}
	other := framepb.Span{Series: framepb.Series{StreamName: "a", IntervalMs: 7, Format: framepb.PNG}, First: 3, Samples: 1 << 40}
	want := []framepb.Span{other, span(5, 10), span(5, 100), span(40, 2)}
	if err := l.Request(want[3], want[1], want[2], want[0], want[1]); err != nil {
		t.Fatal(err)
	}
	got, err := l.Requests()
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("Requests = %v, %v, want %v", got, err, want)
	}
	if series, err := l.Series(); err != nil || !slices.Equal(series, []framepb.Series{other.Series, door}) {
		t.Errorf("Series = %v, %v", series, err)
	}
	for _, bad := range []framepb.Span{span(0, 0), span(-1, 1), {Samples: 1}, span(1<<62, 1<<62)} {
		if err := l.Request(bad); err == nil {
			t.Errorf("Request(%v) is taken", bad)
		}
	}
	path := filepath.Join(l.dir, requestPath(want[1]))
	whole, _ := os.ReadFile(path)
	for i := range whole {
		if err := os.WriteFile(path, whole[:i], 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := l.Requests()
		var damaged *DamagedError
		if !errors.As(err, &damaged) || len(got) != 3 {
			t.Fatalf("cut at byte %d: Requests = %d spans, %v", i, len(got), err)
		}
	}
	if err := os.Rename(filepath.Join(l.dir, requestPath(want[2])), path); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Requests(); err == nil || len(got) != 2 {
		t.Errorf("a request under another's name: %d spans, %v", len(got), err)
	}
}

// TestNames: what is listed is what was put, for any series and shards.
func TestNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.Int32Range(1, 1<<31-1).Draw(t, "interval")
		series := framepb.Series{
			StreamName: rapid.StringMatching(`[a-zA-Z0-9_.-]{1,256}`).Draw(t, "stream"),
			IntervalMs: interval, PhaseMs: rapid.Int32Range(0, interval-1).Draw(t, "phase"),
		}
		const year2262 = 9214646400000
		entry := Entry{
			Span: framepb.Span{
				Series: series, First: rapid.Int64Range(0, (year2262-int64(series.PhaseMs))/int64(interval)).Draw(t, "first"),
				Samples: rapid.Int64Range(1, 1<<62).Draw(t, "samples"),
			},
			Failed: rapid.Bool().Draw(t, "failed"),
		}
		if got, ok := parseName(series, receiptName(entry)); !ok || got != entry {
			t.Fatalf("parseName(%q) = %v, %v, want %v", receiptName(entry), got, ok, entry)
		}
		if name := filepath.Base(filepath.Dir(entry.Path())); len(name) > 255 {
			t.Fatalf("the name %q is too long", name)
		}
	})
}

func TestStrays(t *testing.T) {
	l := Open(t.TempDir())
	put(t, l, 0, "ff")
	put(t, l, 2, "nF")
	if err := l.Request(span(0, 4)); err != nil {
		t.Fatal(err)
	}
	want, err := l.Have(door)
	if err != nil || len(want) != 2 {
		t.Fatalf("Have = %v, %v", want, err)
	}
	folder := filepath.Join("ledger", door.ID())
	strays := []string{
		"ledger/notes.txt",
		folder + "/.DS_Store",
		folder + "/19700101T000000500Z-0.json",
		folder + "/19700101T000000500Z-02.json",
		folder + "/19700101T000000500Z-2.failed",
		folder + "/19700101T000000500Z-2.json~",
		folder + "/19700101T000000501Z-2.json", // off the grid
		folder + "/19700199T000000500Z-2.json",
		"requests/" + door.ID() + "/19700101T000000500Z-4.failed.json",
		"requests/" + door.ID() + "/x.json",
	}
	for _, name := range strays {
		if err := os.WriteFile(filepath.Join(l.dir, name), []byte("{}\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := l.Have(door); err != nil || !slices.Equal(got, want) {
		t.Errorf("Have = %v, %v, want %v", got, err, want)
	}
	if got, err := l.Requests(); err != nil || len(got) != 1 {
		t.Errorf("Requests = %v, %v", got, err)
	}
	if got, err := l.Strays(); err != nil || !slices.Equal(got, strays) {
		t.Errorf("Strays = %q, %v, want %q", got, err, strays)
	}
}

func TestAll(t *testing.T) {
	l := Open(t.TempDir())
	for receipt, err := range l.All() {
		t.Fatalf("an empty ledger has %v, %v", receipt, err)
	}
	want := []*framepb.Receipt{put(t, l, 0, "ff"), put(t, l, 2, "nF"), put(t, l, 4, "dd")}
	if err := os.Truncate(filepath.Join(l.dir, Entry{Span: span(0, 2)}.Path()), 9); err != nil {
		t.Fatal(err)
	}
	lost := filepath.Join("ledger", "lost_0123456789ab", "19700101T000000500Z-2.json")
	if err := os.MkdirAll(filepath.Join(l.dir, filepath.Dir(lost)), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.dir, lost), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	var got []*framepb.Receipt
	var paths []string
	for receipt, err := range l.All() {
		var damaged *DamagedError
		if errors.As(err, &damaged) {
			paths = append(paths, damaged.Path)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, receipt)
	}
	if len(got) != 2 || !proto.Equal(got[0], want[1]) || !proto.Equal(got[1], want[2]) {
		t.Errorf("All yields %v", got)
	}
	if !slices.Equal(paths, []string{Entry{Span: span(0, 2)}.Path(), lost}) {
		t.Errorf("All calls damaged %q", paths)
	}
	for range l.All() {
		break
	}
}
