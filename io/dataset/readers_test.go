//go:build readers

package dataset

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkShardWriter writes the shards of BenchmarkWrite with webdataset's own
// writer. It needs what .ci/readers installs.
func BenchmarkShardWriter(b *testing.B) {
	installed := os.Getenv("KVSFRAMES_READERS")
	if installed == "" {
		installed = "../../.cache/readers"
	}
	const shards = 300
	for b.Loop() {
		out, err := exec.Command(filepath.Join(installed, "python/bin/python"),
			"../../testdata/readers/python/shardwriter.py", strconv.Itoa(shards), b.TempDir()).Output()
		if err != nil {
			b.Fatal(err)
		}
		seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(shards)*10/seconds, "MB/s")
		b.ReportMetric(seconds/float64(shards)*1e9, "ns/shard")
	}
}
