package pack

import (
	"strings"
	"testing"
)

// TestCard: the numbers of a set's README.md are for people.
func TestCard(t *testing.T) {
	set := Set{
		Format: "webdataset", SamplesPerFile: 10_000, Frames: 1_234_567, Bytes: 222_222_060_000,
		Splits: []SetSplit{{Split: Split{Name: "train"}, Frames: 1_234_567, Files: 124}},
	}
	text := string(set.card(set.Shards()))
	for _, want := range []string{
		"\n1,234,567 frames in the format `webdataset`, 10,000 a file, packed by kvsframes. " +
			"The pictures take 222 GB (222,222,060,000 bytes).\n",
		"\n| train | 1,234,567 | `train-{000000..000123}.tar` |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the card says\n%s\nwant %s", text, want)
		}
	}
}
