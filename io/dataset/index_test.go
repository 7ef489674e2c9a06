package dataset

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
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

// TestSealedComesBack: what the sealed file of a block said is in the index, too: where it is lost
// nothing is fetched again, in any format, and a picture that is not as it was written is found.
func TestSealedComesBack(t *testing.T) {
	t.Parallel()
	shards := []frame.Shard{shardOf(door, 0, "fnfd"), shardOf(door, 4, "ffgf")}
	for _, format := range Formats() {
		for _, kind := range []string{"folder", "mem"} {
			for mend, do := range mends {
				s := createAt(t, spots[kind], Options{Format: format})
				backfills(t, s.name, shards...)
				whole := s.files(t)
				s.remove(t, s.sealedNames(t)[0])
				do(t, s)
				if fetched := backfills(t, s.name, shards...); len(fetched) > 0 {
					t.Errorf("%s, %s, %s: fetched are %v", format, kind, mend, fetched)
				}
				equalTrees(t, s.files(t), whole, format+", "+kind+", "+mend)
			}
			s := createAt(t, spots[kind], Options{Format: format})
			backfills(t, s.name, shards...)
			s.remove(t, s.sealedNames(t)[0])
			name := s.pictures(t, shards[0].Span)[0]
			data := []byte(s.files(t)[name])
			data[len(data)/2] ^= 1
			s.put(t, name, string(data))
			finish(t, s.name)
			if report := verify(t, s.name); report.Complete || report.Corrupt == 0 {
				t.Errorf("%s, %s: Verify = %+v", format, kind, report)
			}
		}
	}
}

// TestStrayInTheIndex: what readers of the index would read makes a dataset incomplete, and stays.
func TestStrayInTheIndex(t *testing.T) {
	t.Parallel()
	s := createAt(t, spots["mem"], Options{Format: "webdataset"})
	write(t, s.name, shardOf(door, 0, "ffff"))
	finish(t, s.name)
	block := ledger.IndexPath(ledger.BlockOf(shardOf(door, 0, "f").Span, 100))
	s.put(t, strings.TrimSuffix(block, ".parquet")+" (copy).parquet", s.files(t)[block])
	report := repair(t, s.name)
	if report.Complete || report.Foreign != 1 || !strings.Contains(strings.Join(report.Problems, ""), "move it away") {
		t.Errorf("Repair = %+v", report)
	}
}

// TestOlderSealedFile: an older sealed file has taken the place of a younger one, from before a
// second look. The index has what the younger one said, and the pictures bear it out: nothing is
// taken away or fetched again.
func TestOlderSealedFile(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"folder", "mem"} {
		for mend, do := range map[string]func(*testing.T, spot){
			"repair": func(t *testing.T, s spot) { repair(t, s.name) },
			"index":  mends["index"],
		} {
			if kind == "mem" && mend == "index" {
				continue // by names alone it is as it must be
			}
			s := createAt(t, spots[kind], Options{Format: "webdataset"})
			before, after := shardOf(door, 0, "fnnf"), shardOf(door, 0, "fggf")
			backfills(t, s.name, before)
			older := s.sealedNames(t)[0]
			data := s.files(t)[older]
			look := lookAt(after, "fnnf")
			write(t, s.name, look)
			finish(t, s.name)
			whole := s.files(t)
			s.remove(t, s.sealedNames(t)[0])
			s.put(t, older, data)
			do(t, s)
			if report := verify(t, s.name); !report.Complete || report.Frames != 4 {
				t.Errorf("%s, %s: Verify = %+v", kind, mend, report)
			}
			finish(t, s.name)
			equalTrees(t, s.files(t), whole, kind+", "+mend)
		}
	}
}
