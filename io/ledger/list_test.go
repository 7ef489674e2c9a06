package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// TestNames: what is listed is what was put, for any series and shards.
func TestNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.Int32Range(1, 1<<31-1).Draw(t, "interval")
		series := frame.Series{
			StreamName: rapid.StringMatching(`[a-zA-Z0-9_.-]{1,256}`).Draw(t, "stream"),
			IntervalMs: interval, PhaseMs: rapid.Int32Range(0, interval-1).Draw(t, "phase"),
		}
		const year2262 = 9214646400000
		entry := Entry{
			Span: frame.Span{
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
	if err := l.Request(t.Context(), span(0, 4)); err != nil {
		t.Fatal(err)
	}
	want, err := have(t.Context(), l)
	if err != nil || len(want) != 2 {
		t.Fatalf("Have = %v, %v", want, err)
	}
	folder := filepath.Join("ledger", door.ID())
	strays := []string{
		folder + "/.DS_Store",
		folder + "/19700101T000000500Z-0.json",
		folder + "/19700101T000000500Z-02.json",
		folder + "/19700101T000000500Z-2.failed",
		folder + "/19700101T000000500Z-2.json~",
		folder + "/19700101T000000501Z-2.json", // off the grid
		folder + "/19700199T000000500Z-2.json",
		"ledger/notes.txt",
		"requests/" + door.ID() + "/19700101T000000500Z-4.failed.json",
		"requests/" + door.ID() + "/x.json",
	}
	for _, name := range strays {
		if err := os.WriteFile(filepath.Join(l.dir, name), []byte("{}\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := have(t.Context(), l); err != nil || !slices.Equal(got, want) {
		t.Errorf("Have = %v, %v, want %v", got, err, want)
	}
	if got, err := l.Requests(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("Requests = %v, %v", got, err)
	}
	if got, err := l.Strays(t.Context()); err != nil || !slices.Equal(got, strays) {
		t.Errorf("Strays = %q, %v, want %q", got, err, strays)
	}
}

func TestAll(t *testing.T) {
	l := Open(t.TempDir())
	for recorded, err := range l.All(t.Context()) {
		t.Fatalf("an empty ledger has %v, %v", recorded, err)
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
	for recorded, err := range l.All(t.Context()) {
		var damaged *DamagedError
		if errors.As(err, &damaged) {
			paths = append(paths, damaged.Path)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, recorded.Receipt)
	}
	if len(got) != 2 || !proto.Equal(got[0], want[1]) || !proto.Equal(got[1], want[2]) {
		t.Errorf("All yields %v", got)
	}
	if !slices.Equal(paths, []string{Entry{Span: span(0, 2)}.Path(), lost}) {
		t.Errorf("All calls damaged %q", paths)
	}
	for range l.All(t.Context()) {
		break
	}
}
