package dataset

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/kvsframes/kvsframes/io/frame"
)

// reader counts the samples of an index again and again, until asked to stop.
type reader struct {
	t           *testing.T
	dir         string
	stop, ended chan struct{}
	passes      int
}

func (r *reader) run() {
	defer close(r.ended)
	for least := 0; ; r.passes++ {
		select {
		case <-r.stop:
			return
		default:
		}
		n := r.count()
		if n < least {
			r.t.Errorf("pass %d finds %d samples, one before found %d", r.passes, n, least)
		}
		least = max(least, n)
	}
}

// count lists the files, and reads them then, as engines do. Where one of them is gone,
// another one has taken its place, and it lists again.
func (r *reader) count() int {
	for {
		files, err := filepath.Glob(filepath.Join(r.dir, filepath.FromSlash(indexGlob)))
		keys := make(map[string]bool)
		for _, name := range files {
			var data []byte
			var rows []row
			if data, err = os.ReadFile(name); err == nil {
				rows, err = parquet.Read[row](strings.NewReader(string(data)), int64(len(data)))
			}
			if err != nil {
				break
			}
			for _, row := range rows {
				keys[row.Key] = true
			}
		}
		if err == nil {
			return len(keys)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			r.t.Error(err)
			return len(keys)
		}
	}
}

// TestReaderLosesNothing: whoever reads the index while shards are written, looked at again and
// sealed, and while the dataset is repaired, finds it at any time, and never a sample less.
func TestReaderLosesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(t.Context(), dir, Options{ShardSamples: 4}); err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, dir: dir, stop: make(chan struct{}), ended: make(chan struct{})}
	go r.run()
	const start = 4 - first%4
	for night := range int64(12) {
		at := start + 8*night
		write(t, dir, shardOf(door, at, "fnfF"), shardOf(door, at+4, "ffnd"))
		finish(t, dir)
		look := shardOf(door, at, "...f")
		look.Again = []frame.Span{look.Span.Slice(look.Span.End()-1, look.Span.End())}
		write(t, dir, look)
		finish(t, dir)
		if report := repair(t, dir); !report.Complete {
			t.Errorf("Repair = %+v", report)
		}
	}
	close(r.stop)
	<-r.ended
	if n := r.count(); n != 12*8 || r.passes == 0 {
		t.Errorf("at the end there are %d samples, after %d passes", n, r.passes)
	}
}
