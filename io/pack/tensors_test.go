package pack

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/dataset"
)

// TestTensors: tensors are in sets of every format, each once, whatever the dataset's is.
func TestTensors(t *testing.T) {
	for _, format := range dataset.Formats() {
		t.Run(format, func(t *testing.T) {
			dir, shard := createIn(t, format), withTensors(shardOf(door, 0, "fgfdf"))
			write(t, dir, shard)
			for _, into := range dataset.Formats() {
				seed, set := int64(7), filepath.Join(t.TempDir(), "set")
				plan := planned(t, dir, Options{Format: into, SamplesPerFile: 2, ShuffleSeed: &seed})
				if err := packByHand(plan, dir, set, nil); err != nil {
					t.Fatal(err)
				}
				all := allOf(t, set)
				for i, frame := range shard.Frames {
					if bytes.Count(all, frame.Data) == 0 || bytes.Count(all, frame.Tensor) != 1 {
						t.Errorf("a set in %s does not have frame %d with its tensor", into, i)
					}
				}
			}
		})
	}
}

// allOf is the contents of all files.
func allOf(t *testing.T, dir string) (all []byte) {
	for _, content := range tree(t, dir) {
		all = append(all, content...)
	}
	return all
}

// TestLabels: labels are in sets of every format.
func TestLabels(t *testing.T) {
	const want = `{"age":"3","class":"dog \"Rex\""} {} {"class":"cat"}`
	for _, format := range []string{"parquet", "tfrecord", "webdataset"} {
		dir, set := createIn(t, format), filepath.Join(t.TempDir(), "set")
		write(t, dir, shardtest.Labelled())
		if err := packByHand(planned(t, dir, Options{Format: format}), dir, set, nil); err != nil {
			t.Fatal(err)
		}
		for name, content := range tree(t, set) {
			if !strings.HasPrefix(name, "train-000000") {
				continue
			}
			if got := strings.Join(shardtest.LabelsIn(t, format, content), " "); got != want {
				t.Errorf("%s has %v, want %v", name, got, want)
			}
		}
	}
}

// TestTensorsOfSome: shards with tensors and others make one packed set, in which a
// frame that has none has an empty one in a table, and no file.
func TestTensorsOfSome(t *testing.T) {
	dir := createIn(t, "webdataset")
	write(t, dir, shardOf(door, 0, "ff"), withTensors(shardOf(door, 2, "ff")))
	set := filepath.Join(t.TempDir(), "set")
	if err := packByHand(planned(t, dir, Options{Format: "parquet"}), dir, set, nil); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.ReadFile[struct {
		Tensor *string `parquet:"tensor"`
	}](filepath.Join(set, "train-000000.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, row := range rows {
		sizes = append(sizes, len(*row.Tensor))
	}
	if want := 128 + 9*16*3; fmt.Sprint(sizes) != fmt.Sprint([]int{0, 0, want, want}) {
		t.Errorf("the tensors have %d bytes", sizes)
	}
}
