package dataset

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/kvsframes/kvsframes/io/frame"
)

// reader counts the rows of an index again and again, until asked to stop.
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

// count lists the files, and reads them then, as engines do.
func (r *reader) count() int {
	files, err := filepath.Glob(filepath.Join(r.dir, filepath.FromSlash(indexGlob)))
	if err != nil {
		r.t.Error(err)
	}
	keys := make(map[string]bool)
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			r.t.Error(err)
			continue
		}
		rows, err := parquet.Read[row](bytes.NewReader(data), int64(len(data)))
		if err != nil {
			r.t.Error(err)
		}
		for _, row := range rows {
			if keys[row.Key] {
				r.t.Errorf("%s is there twice", row.Key)
			}
			keys[row.Key] = true
		}
	}
	return len(keys)
}

// TestReaderLosesNothing: whoever reads the index while shards are written and sealed, by two jobs at
// once, looked at again, and while the dataset is repaired, finds each file that was
// listed, never a sample less, and none twice.
func TestReaderLosesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(t.Context(), dir, Options{ShardSamples: 4}); err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, dir: dir, stop: make(chan struct{}), ended: make(chan struct{})}
	go r.run()
	const start = 4 - first%4
	for night := range int64(12) {
		at := start + 16*night
		var jobs sync.WaitGroup
		for job := range int64(2) {
			jobs.Go(func() {
				at := at + 8*job
				write(t, dir, shardOf(door, at, "fnfF"), shardOf(door, at+4, "ffnd"))
				finish(t, dir)
			})
		}
		jobs.Wait()
		for job := range int64(2) {
			look := shardOf(door, at+8*job, "...f")
			look.Again = []frame.Span{look.Span.Slice(look.Span.End()-1, look.Span.End())}
			write(t, dir, look)
			finish(t, dir)
		}
		if report := repair(t, dir); !report.Complete {
			t.Errorf("Repair = %+v", report)
		}
	}
	close(r.stop)
	<-r.ended
	if n := r.count(); n != 12*16 || r.passes == 0 {
		t.Errorf("at the end there are %d samples, after %d passes", n, r.passes)
	}
}
