package dataset

import (
	"strings"
	"testing"
)

// Readers pass over files and folders whose names begin with "_" or ".": whatever
// a stream is called, none of ours that holds data does, in any format.
func TestNamesOfData(t *testing.T) {
	for _, stream := range []string{"_x", "__y", ".z", "._", "_", "_" + strings.Repeat("long", 60)} {
		series := door
		series.StreamName = stream
		shard := shardOf(series, 1, "ff")
		for _, format := range Formats() {
			dir := createIn(t, format)
			write(t, dir, shard)
			for name := range settled(t, dir) {
				for part := range strings.SplitSeq(name, "/") {
					if strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".") {
						t.Errorf("%s, %s: %s is not seen", stream, format, name)
					}
				}
			}
		}
	}
}
