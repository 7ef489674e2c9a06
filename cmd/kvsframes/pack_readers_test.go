//go:build readers

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
)

// packFormat packs what backfillFormat makes, shuffled, in two splits.
func packFormat(u *user, format, imageFormat string) {
	u.t.Helper()
	backfillFormat(u, "webdataset", imageFormat, "out")
	u.must(0, "pack", "out", "set", "--dataset-format", format, "--samples-per-file", "20", "--shuffle-seed", "3",
		"--splits", "train=0.7,val=0.3", "--split-by", "sample")
}

// TestReadersPacked has real readers read packed sets of every format: over all
// splits they must find each frame once, and it must show what it says.
func TestReadersPacked(t *testing.T) {
	for _, reader := range readers {
		for _, imageFormat := range []string{frame.JPEG, frame.PNG} {
			t.Run(reader.name+"/"+imageFormat, func(t *testing.T) {
				u := newUser(t, readerCameras())
				packFormat(u, reader.format, imageFormat)
				train, val := u.read(reader.name, "set", "train-*"), u.read(reader.name, "set", "val-*")
				if len(train) < len(val) || len(val) == 0 {
					t.Errorf("%d frames are in train, %d in val", len(train), len(val))
				}
				checkSamples(t, append(train, val...), recorded(t, filepath.Join(u.dir, "out")))
			})
		}
	}
}

// TestPythonLinesOfPackedSets runs what a set's README.md says, and has datasets
// load the splits by its front matter.
func TestPythonLinesOfPackedSets(t *testing.T) {
	for _, format := range dataset.Formats() {
		t.Run(format, func(t *testing.T) {
			u := newUser(t, readerCameras())
			packFormat(u, format, frame.JPEG)
			card, err := os.ReadFile(filepath.Join(u.dir, "set", "README.md"))
			if err != nil {
				t.Fatal(err)
			}
			_, lines, _ := strings.Cut(string(card), "```python\n")
			lines, _, _ = strings.Cut(lines, "```")
			u.dir = filepath.Join(u.dir, "set")
			for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
				u.load(line, u.packed(i))
			}
			if format == "tfrecord" {
				return // which datasets does not read
			}
			for i, split := range []string{"train", "val"} {
				u.load(fmt.Sprintf("import datasets; frames = datasets.load_dataset(%q, split=%q)", u.dir, split), u.packed(i))
			}
		})
	}
}

// packed is how many frames a split has, as the set's list of files says.
func (u *user) packed(split int) float64 {
	u.t.Helper()
	text, err := os.ReadFile(filepath.Join(u.dir, "shards.json"))
	if err != nil {
		u.t.Fatal(err)
	}
	var list struct{ Splits []struct{ Frames float64 } }
	if err := json.Unmarshal(text, &list); err != nil {
		u.t.Fatal(err)
	}
	return list.Splits[split].Frames
}
