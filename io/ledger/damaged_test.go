package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/store"
	_ "github.com/kvsframes/kvsframes/io/store/memstore"
)

// noFiles put something in a file's place that is no file, or too large.
var noFiles = map[string]struct {
	put  func(path string) error
	says string
}{
	"a pipe":             {func(path string) error { return syscall.Mkfifo(path, 0o666) }, "a pipe"},
	"a link to a device": {func(path string) error { return os.Symlink("/dev/zero", path) }, "a device"},
	"a socket": {
		func(path string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o666, 0) },
		"a socket",
	},
	"a link to nothing":           {linkTo("nowhere"), "a link to nothing"},
	"a link to itself":            {func(path string) error { return os.Symlink(path, path) }, "a link to nothing"},
	"a link through a file":       {linkTo("/etc/passwd/x"), "a link to nothing"},
	"a link with too long a name": {linkTo(strings.Repeat("x", 300)), "a link to nothing"},
	"40 GB": {func(path string) error {
		return errors.Join(os.WriteFile(path, nil, 0o666), os.Truncate(path, 40<<30))
	}, "has 42949672960 bytes, the largest file of its kind has"},
}

func linkTo(target string) func(path string) error {
	return func(path string) error { return os.Symlink(target, path) }
}

// TestNoFiles: what is no file, or too large to be one of a ledger, is damaged, and
// neither waited for nor read.
func TestNoFiles(t *testing.T) {
	for name, test := range noFiles {
		t.Run(name, func(t *testing.T) {
			l := Open(t.TempDir())
			put(t, l, 0, "ff")
			put(t, l, 2, "ff")
			if err := l.Request(t.Context(), span(0, 4)); err != nil {
				t.Fatal(err)
			}
			entry := Entry{Span: span(0, 2)}
			for _, path := range []string{entry.Path(), RequestPath(span(0, 4))} {
				path = filepath.Join(l.dir, path)
				if err := errors.Join(os.Remove(path), test.put(path)); err != nil {
					t.Fatal(err)
				}
			}
			var damaged *DamagedError
			if _, err := l.Read(t.Context(), entry); !errors.As(err, &damaged) || damaged.Entry != entry ||
				!strings.Contains(err.Error(), test.says) {
				t.Errorf("Read = %v, want %q", err, test.says)
			}
			if receipt, err := l.Ask(t.Context(), entry.Span); receipt != nil || err != nil {
				t.Errorf("Ask = %v, %v", receipt, err)
			}
			if _, err := l.Requests(t.Context()); !errors.As(err, &damaged) || damaged.Entry.Span != span(0, 4) {
				t.Errorf("Requests = %v", err)
			}
			whole, broken := 0, 0
			for _, err := range l.All(t.Context()) {
				if err == nil {
					whole++
				} else if errors.As(err, &damaged) {
					broken++
				} else {
					t.Error(err)
				}
			}
			if whole != 1 || broken != 1 {
				t.Errorf("%d receipts are whole and %d damaged, want 1 and 1", whole, broken)
			}
			put(t, l, 0, "ff")
			if receipt, err := l.Ask(t.Context(), entry.Span); receipt == nil {
				t.Errorf("written anew: %v", err)
			}
			if err := l.Request(t.Context(), span(0, 4)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLinkedFile: a link to a file is read as the file.
func TestLinkedFile(t *testing.T) {
	l := Open(t.TempDir())
	want := put(t, l, 0, "ff")
	path, elsewhere := filepath.Join(l.dir, Entry{Span: span(0, 2)}.Path()), filepath.Join(t.TempDir(), "elsewhere")
	if err := errors.Join(os.Rename(path, elsewhere), os.Symlink(elsewhere, path)); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Ask(t.Context(), span(0, 2)); err != nil || got.String() != want.String() {
		t.Errorf("Ask = %v, %v", got, err)
	}
}

// TestLargeObject: an object that is too large is damaged, too.
func TestLargeObject(t *testing.T) {
	l := Open("mem://" + t.Name())
	put(t, l, 0, "ff")
	entry := Entry{Span: span(0, 2)}
	if err := l.store.(store.Bucket).Put(t.Context(), entry.Path(), make([]byte, receiptLimit+1)); err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	if _, err := l.Read(t.Context(), entry); !errors.As(err, &damaged) ||
		!strings.Contains(err.Error(), "has 33554433 bytes") {
		t.Errorf("Read = %v", err)
	}
}

// TestLargestReceipt: the receipt of the most samples that a shard of a dataset
// may have, all gaps whose causes are 1 kB of what takes most to write, can be read
// back; one that could not is not written.
func TestLargestReceipt(t *testing.T) {
	const samples = 10_000 // dataset.MaxShardSamples
	for _, test := range []struct {
		cause int
		fits  bool
	}{{1 << 10, true}, {2 << 10, false}} {
		shard := frame.Shard{Span: span(0, samples)}
		for i := range int64(samples) {
			shard.Gaps = append(shard.Gaps, frame.Gap{
				SampleMs: door.At(i), Reason: "OUT_OF_RETENTION",
				Cause: fmt.Sprintf("%05d", i),
			})
		}
		receipt, err := NewReceipt(shard, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, gap := range receipt.Gaps { // not by way of NewReceipt, which cuts them
			gap.Cause += strings.Repeat(`"`, test.cause-len(gap.Cause))
		}
		l := Open(t.TempDir())
		err = l.Put(t.Context(), receipt)
		if (err == nil) != test.fits {
			t.Errorf("causes of %d bytes: Put = %v", test.cause, err)
		}
		if read, err := l.Ask(t.Context(), shard.Span); (read != nil) != test.fits || err != nil {
			t.Errorf("causes of %d bytes: it was read back: %v (%v)", test.cause, read != nil, err)
		}
	}
}
