package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

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
		"unknown reason": func(r *framepb.Receipt) { r.Gaps[0].Reason = "NO_METIA" },
		"no such width":  func(r *framepb.Receipt) { r.Widths[0] = -1 },
		"a huge gap":     func(r *framepb.Receipt) { r.Samples += 9995; r.Gaps[0].Samples += 9995; r.Drops = nil; r.Frames++ },
		"null gap":       func(r *framepb.Receipt) { r.Gaps[0] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			l := Open(t.TempDir())
			receipt := receiptOf(t, 0, "fnfdff")
			spoil(receipt)
			if err := l.Put(t.Context(), receipt); err == nil {
				t.Error("Put took it")
			}
			if left := shardtest.Tree(t, l.dir); len(left) > 0 {
				t.Errorf("Put left %v", left)
			}
		})
	}
}

// TestDamaged cuts a receipt at every byte and turns over every byte: it is the
// same receipt, or it counts as not there and says why.
func TestDamaged(t *testing.T) {
	l := Open(t.TempDir())
	want := put(t, l, 0, "fnfdff")
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
		got, err := l.Ask(t.Context(), want.Span())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got != nil && mustFail {
			t.Errorf("%s: taken for whole", what)
		}
		if got != nil && check(got, entry) != nil {
			t.Errorf("%s: a receipt that is not valid", what)
		}
		_, err = l.Read(t.Context(), entry)
		var damaged *DamagedError
		if got == nil && (!errors.As(err, &damaged) || damaged.Entry != entry || damaged.Path != entry.Path()) {
			t.Errorf("%s: Read says %v", what, err)
		}
	}
	for i := range whole {
		ask(whole[:i], fmt.Sprintf("cut at byte %d", i), true)
		for bit := range 8 {
			flipped := slices.Clone(whole)
			flipped[i] ^= 1 << bit
			ask(flipped, fmt.Sprintf("byte %d is %q", i, flipped[i]), true)
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
	object, err := framepb.CutChecksum(whole)
	if err != nil {
		t.Fatal(err)
	}
	ask(object, "without a checksum", true)
	ask(framepb.AppendChecksum(bytes.Replace(object, []byte("{"), []byte(`{"laterField":[1],`), 1)),
		"with a field that nobody knows", true)
	ask(whole, "as it was written", false)
	if got, _ := l.Ask(t.Context(), want.Span()); !proto.Equal(got, want) {
		t.Error("the receipt is not what it was")
	}
}

// TestHugeReceipt: a small file that claims as many samples as there are numbers is
// no receipt, whatever its name is.
func TestHugeReceipt(t *testing.T) {
	l := Open(t.TempDir())
	if err := l.Request(t.Context(), span(0, 4)); err != nil {
		t.Fatal(err)
	}
	huge := Entry{Span: span(0, math.MaxInt32)}
	data, err := framepb.EncodeJSON(&framepb.Receipt{
		Series: framepb.SeriesOf(door), Samples: math.MaxInt32,
		Gaps: []*framepb.GapRun{{Samples: math.MaxInt32, Reason: frame.NoMedia}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{huge.Path(), Entry{Span: span(0, 4)}.Path()} {
		path := filepath.Join(l.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := have(t.Context(), l); err != nil || len(entries) != 1 || entries[0].Span != span(0, 4) {
		t.Errorf("Have = %v, %v", entries, err)
	}
	if strays, err := l.Strays(t.Context()); err != nil || !slices.Equal(strays, []string{huge.Path()}) {
		t.Errorf("Strays = %v, %v", strays, err)
	}
	for recorded, err := range l.All(t.Context()) {
		var damaged *DamagedError
		if recorded.Receipt != nil || !errors.As(err, &damaged) {
			t.Errorf("All yields %v, %v", recorded.Receipt.Span(), err)
		}
	}
	var damaged *DamagedError
	if _, err := l.Read(t.Context(), huge); !errors.As(err, &damaged) || !strings.Contains(err.Error(), "at most 10000") {
		t.Errorf("Read: %v", err)
	}
}

// TestUnreadable: what cannot be read is an error, not "not there".
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	l := Open(dir)
	if err := os.MkdirAll(filepath.Join(dir, Entry{Span: span(0, 1)}.Path()), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Ask(t.Context(), span(0, 1)); err == nil {
		t.Error("Ask reads a folder")
	}
	if err := os.WriteFile(filepath.Join(dir, "tmp"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Put":     l.Put(t.Context(), receiptOf(t, 5, "f")),
		"Request": l.Request(t.Context(), span(5, 1)),
	} {
		if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "tmp")) {
			t.Errorf("%s with a file for tmp: %v, want an error that names it", name, err)
		}
	}
	if _, err := have(t.Context(), Open(filepath.Join(dir, "tmp"))); err == nil {
		t.Error("Have lists a file")
	}
}
