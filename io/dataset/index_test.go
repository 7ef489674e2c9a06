package dataset

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestIndexIsMadeAgain: the index is made of the sealed receipts, whatever became of it, by
// Finish where files are missing or are none of the dataset's, by Repair always.
func TestIndexIsMadeAgain(t *testing.T) {
	t.Parallel()
	block := ledger.IndexPath(ledger.BlockOf(shardOf(door, 0, "f").Span, 100))
	for name, test := range map[string]struct {
		spoil func(t *testing.T, s spot, files map[string]string)
		named bool // names tell, so that Finish mends it
	}{
		"lost": {func(t *testing.T, s spot, _ map[string]string) { s.remove(t, block) }, true},
		"of a block that is not there": {func(t *testing.T, s spot, files map[string]string) {
			far := ledger.BlockOf(shardOf(door, 1_000_000, "f").Span, 100)
			s.put(t, ledger.IndexPath(far), files[block])
		}, true},
		"of other receipts": {func(t *testing.T, s spot, files map[string]string) {
			s.remove(t, block)
			for name, data := range files {
				if strings.HasPrefix(name, "sealed/") && data != files[block] {
					s.put(t, block, data)
				}
			}
		}, false},
		"empty": {func(t *testing.T, s spot, _ map[string]string) { s.remove(t, block); s.put(t, block, "") }, false},
	} {
		for _, kind := range []string{"folder", "mem"} {
			for _, outcomes := range []string{"fnfd", "fnfF"} { // with a failed one the block has two sealed files
				s := createAt(t, spots[kind], Options{Format: "webdataset"})
				write(t, s.name, shardOf(door, 0, outcomes), shardOf(door, 4, "ff"), shardOf(door, 9, "ff"))
				finish(t, s.name)
				whole := s.files(t)
				test.spoil(t, s, whole)
				report := verify(t, s.name)
				if said := strings.Join(report.Problems, "\n"); !report.Stale || report.Complete ||
					!strings.Contains(said, "it is not what sealed receipts say") {
					t.Errorf("%s, %s: Verify = %+v", name, kind, report)
				}
				if test.named {
					finish(t, s.name)
				} else if report := repair(t, s.name); report.Stale || report.Repaired != 1 {
					t.Errorf("%s, %s: Repair = %+v", name, kind, report)
				}
				equalTrees(t, s.files(t), whole, name+", "+kind)
			}
		}
	}
}

// TestIndexOfTwo: what the sealed files of a block say is in one file of the index, a row a
// sample, in time order.
func TestIndexOfTwo(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"folder", "mem"} {
		s := createAt(t, spots[kind], Options{Format: "webdataset"})
		write(t, s.name, shardOf(door, 20, "ff"), shardOf(door, 0, "fnfd"), shardOf(door, 4, "Ff"))
		finish(t, s.name)
		var keys []string
		for _, sample := range samplesIn(t, s.name) {
			keys = append(keys, sample.Key)
		}
		var got []string
		for _, row := range rowsIn(t, s) {
			got = append(got, row.Key)
		}
		if !slices.Equal(got, keys) || len(keys) != 8 {
			t.Errorf("%s: the rows are %q, the samples %q", kind, got, keys)
		}
		if n := len(sealedIn(t, s.name)); n != 3 {
			t.Errorf("%s: %d sealed files", kind, n)
		}
		var files []string
		for name := range s.files(t) {
			if ok, _ := filepath.Match(indexGlob, name); ok {
				files = append(files, name)
			}
		}
		if len(files) != 1 {
			t.Errorf("%s: the index has %q", kind, files)
		}
	}
}
