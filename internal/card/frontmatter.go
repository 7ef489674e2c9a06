package card

import (
	"fmt"
	"io"
	"strings"
)

// File is the name of a card.
const File = "README.md"

// Split is a split as Hugging Face calls the parts of a dataset, and the pattern that finds
// its files.
type Split struct{ Name, Path string }

// FrontMatter writes what Hugging Face's datasets, and its hub, read, but for the line that
// begins it.
func FrontMatter(w io.Writer, splits []Split, pictures bool, frames int64) {
	if len(splits) > 0 {
		fmt.Fprint(w, "configs:\n- config_name: default\n  data_files:\n")
		for _, split := range splits {
			fmt.Fprintf(w, "  - split: %s\n    path: %q\n", split.Name, split.Path)
		}
		if pictures {
			fmt.Fprintln(w, "  drop_labels: true") // a folder of single pictures is a shard, not a class
		}
	}
	fmt.Fprintf(w, "size_categories:\n- %s\ntags:\n- image\n- kinesis-video-streams\n- kvsframes\n---\n",
		sizeCategory(frames))
}

// sizeCategory is one of the hub's.
func sizeCategory(n int64) string {
	names := []string{"1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"}
	if n < 1000 {
		return "n<1K"
	}
	limit := int64(10_000)
	for i, name := range names[:len(names)-1] {
		if n < limit {
			return name + "<n<" + names[i+1]
		}
		limit *= 10
	}
	return "n>1T"
}

// Cell makes text of others fit for a table's cell.
var Cell = strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "_", `\_`, "<", "&lt;").Replace
