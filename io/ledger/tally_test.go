package ledger

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
)

// draw puts receipts into a ledger, damaged ones among them, and returns what the
// others tell, in the order in which samples count by them.
func draw(t *testing.T, rt *rapid.T, l *Ledger) (shards map[Entry]string, entries []Entry) {
	shards = make(map[Entry]string)
	for range rapid.IntRange(0, 8).Draw(rt, "receipts") {
		s := drawSpan(rt, "first")
		letters := rapid.SliceOfN(rapid.SampledFrom([]byte("fffnd")), int(s.Samples), int(s.Samples)).Draw(rt, "outcomes")
		entry := Entry{Span: s, Failed: rapid.Bool().Draw(rt, "failed")}
		if entry.Failed {
			letters[0] = 'F'
		}
		if slices.ContainsFunc(entries, func(e Entry) bool { return e.Span == s }) {
			continue
		}
		put(t, l, s.First, string(letters))
		if rapid.IntRange(0, 9).Draw(rt, "damage") == 0 {
			if err := os.Truncate(filepath.Join(l.dir, entry.Path()), 30); err != nil {
				rt.Fatal(err)
			}
			continue
		}
		shards[entry] = string(letters)
		entries = append(entries, entry)
	}
	entries = drawSealed(t, rt, l, shards, entries)
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(compareBool(a.Failed, b.Failed), a.Span.Compare(b.Span))
	})
	return shards, entries
}

// drawSealed seals some receipts, with what follows them where something does, and marks
// some of them void. Some files of sealed receipts are damaged.
func drawSealed(t *testing.T, rt *rapid.T, l *Ledger, shards map[Entry]string, entries []Entry) (left []Entry) {
	sealed := make(map[Entry]bool)
	for _, entry := range entries {
		if sealed[entry] || rapid.Bool().Draw(rt, "loose") {
			continue
		}
		run := []Entry{entry}
		for next := true; next; {
			end := run[len(run)-1].Span.End()
			i := slices.IndexFunc(entries, func(e Entry) bool {
				return e.Span.First == end && e.Failed == entry.Failed && !sealed[e]
			})
			if next = i >= 0 && rapid.Bool().Draw(rt, "more"); next {
				run = append(run, entries[i])
			}
		}
		file := seal(t, l, run...)
		for _, e := range run {
			sealed[e] = true
			if err := l.remove(t.Context(), e.Path()); err != nil {
				rt.Fatal(err)
			}
			shard := Entry{Span: e.Span, Failed: e.Failed, Sealed: file.Sealed}
			shards[shard] = shards[e]
			left = append(left, shard)
		}
		switch rapid.IntRange(0, 9).Draw(rt, "then") {
		case 0:
			left = left[:len(left)-len(run)]
			if err := os.Truncate(filepath.Join(l.dir, file.Path()), 2); err != nil {
				rt.Fatal(err)
			}
		case 1:
			if err := l.Remove(t.Context(), run[0].Span); err != nil {
				rt.Fatal(err)
			}
			left = slices.Delete(left, len(left)-len(run), len(left)-len(run)+1)
		}
	}
	for _, entry := range entries {
		if !sealed[entry] {
			left = append(left, entry)
		}
	}
	return left
}

func drawSpan(rt *rapid.T, name string) frame.Span {
	return span(rapid.Int64Range(0, 40).Draw(rt, name), rapid.Int64Range(1, 15).Draw(rt, "samples"))
}

// TestTally holds Tally against counting one sample after the other.
func TestTally(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		l := Open(filepath.Join(dir, rapid.StringMatching(`[a-z0-9]{16}`).Draw(rt, "dir")))
		defer os.RemoveAll(l.dir)
		shards, entries := draw(t, rt, l)
		var asked []frame.Span
		for range rapid.IntRange(1, 5).Draw(rt, "requests") {
			asked = append(asked, drawSpan(rt, "asked"))
		}
		want := naive(entries, shards, asked)
		got, err := l.Tally(t.Context(), asked)
		want.Duplicates = got[door].Duplicates // by names, of damaged ones too: TestTallyDuplicates
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[door], want) {
			rt.Fatalf("Tally = %+v, %v, want %+v", got, err, want)
		}
		if complete := want.Missing == 0 && want.Gaps[frame.Failed] == 0 &&
			want.Duplicates == 0; got[door].Complete() != complete {
			rt.Fatalf("Complete() is not %v", complete)
		}
	})
}

func naive(entries []Entry, shards map[Entry]string, asked []frame.Span) Tally {
	var tally Tally
	used := make(map[Entry]bool)
	var longest, last Stretch
	gap := func(i int64, reason string) {
		if last.end() != i || last.Samples == 0 {
			last = Stretch{First: i, Reasons: make(map[string]int64)}
		}
		last.Samples++
		last.Reasons[reason]++
		if last.Samples > longest.Samples {
			longest = Stretch{last.First, last.Samples, maps.Clone(last.Reasons)}
		}
	}
	for i := range int64(100) {
		if !slices.ContainsFunc(asked, func(s frame.Span) bool { return s.First <= i && i < s.End() }) {
			continue
		}
		tally.Samples++
		at := slices.IndexFunc(entries, func(e Entry) bool { return e.Span.First <= i && i < e.Span.End() })
		if at < 0 {
			tally.Missing++
			gap(i, Missing)
			continue
		}
		entry := entries[at]
		used[entry] = true
		switch shards[entry][i-entry.Span.First] {
		case 'f':
			tally.Frames++
			tally.Bytes += int64(len(shardOf(i, "f").Frames[0].Data))
		case 'n':
			add(&tally.Gaps, frame.NoMedia, 1)
			gap(i, frame.NoMedia)
		case 'F':
			add(&tally.Gaps, frame.Failed, 1)
			gap(i, frame.Failed)
		case 'd':
			add(&tally.Drops, "SAME", 1)
		}
	}
	tally.Shards = int64(len(used))
	if longest.Samples > 0 {
		tally.Stretches = []Stretch{longest}
	}
	return tally
}

// Samples that more than one receipt has count as duplicates, within what is asked.
func TestTallyDuplicates(t *testing.T) {
	l := Open(t.TempDir())
	put(t, l, 0, "fff")
	put(t, l, 2, "fnf")
	put(t, l, 2, "fn")
	for asked, want := range map[frame.Span]int64{span(0, 9): 3, span(0, 3): 2, span(0, 2): 0, span(4, 1): 0} {
		tallies, err := l.Tally(t.Context(), []frame.Span{asked})
		if got := tallies[door]; err != nil || got.Duplicates != want {
			t.Errorf("%v: %+v, %v, want %d duplicates", asked, got, err, want)
		}
	}
}

// The receipts of a shard that a writer was killed between are no duplicates: the
// failed one of the two is not asked any more.
func TestTallyBothReceiptsOfAShard(t *testing.T) {
	l := Open(t.TempDir())
	failed := Entry{Span: span(0, 4), Failed: true}
	put(t, l, 0, "fFnf")
	data, err := os.ReadFile(filepath.Join(l.dir, failed.Path()))
	if err != nil {
		t.Fatal(err)
	}
	put(t, l, 0, "ffnf")
	if err := os.WriteFile(filepath.Join(l.dir, failed.Path()), data, 0o666); err != nil {
		t.Fatal(err)
	}
	tallies, err := l.Tally(t.Context(), []frame.Span{span(0, 4)})
	if got := tallies[door]; err != nil || got.Duplicates != 0 || !got.Complete() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTallyOfMany(t *testing.T) {
	l := Open(t.TempDir())
	put(t, l, 0, "ffnF")
	other := door
	other.Format = frame.PNG
	tallies, err := l.Tally(t.Context(), []frame.Span{span(0, 4), span(2, 4), {Series: other, First: 0, Samples: 3}})
	if err != nil || len(tallies) != 2 {
		t.Fatal(tallies, err)
	}
	total := tallies[door].Plus(tallies[other]).Plus(Tally{Drops: map[string]int64{"SAME": 1}})
	want := Tally{
		Samples: 9, Frames: 2, Missing: 5, Shards: 1, Bytes: 29,
		Gaps: map[string]int64{frame.NoMedia: 1, frame.Failed: 1}, Drops: map[string]int64{"SAME": 1},
	}
	want.Stretches = slices.Concat(tallies[door].Stretches, tallies[other].Stretches)
	if !reflect.DeepEqual(total, want) {
		t.Errorf("the sum is %+v, want %+v", total, want)
	}
	if got, err := l.Tally(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("Tally of nothing = %v, %v", got, err)
	}
	if _, err := l.Tally(t.Context(), []frame.Span{{Samples: 1}}); err == nil {
		t.Error("Tally of a series without an interval is no error")
	}
}

// TestTallyBehindADamagedReceipt: a failed receipt counts where the complete one
// of the same shard is damaged.
func TestTallyBehindADamagedReceipt(t *testing.T) {
	l := Open(t.TempDir())
	put(t, l, 0, "ff")
	if err := os.Truncate(filepath.Join(l.dir, Entry{Span: span(0, 2)}.Path()), 30); err != nil {
		t.Fatal(err)
	}
	put(t, l, 0, "fF")
	got, err := l.Tally(t.Context(), []frame.Span{span(0, 2)})
	if tally := got[door]; err != nil || tally.Frames != 1 || tally.Gaps[frame.Failed] != 1 || tally.Missing != 0 {
		t.Errorf("Tally = %+v, %v", got, err)
	}
}
