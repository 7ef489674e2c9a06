//go:build readers

package dataset

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// BenchmarkShardWriter writes the shards of BenchmarkWrite with webdataset's own
// writer. It needs what .ci/readers installs.
func BenchmarkShardWriter(b *testing.B) {
	const shards = 300
	for b.Loop() {
		var seconds float64
		if _, err := fmt.Sscan(python(b, "shardwriter.py", strconv.Itoa(shards), b.TempDir()), &seconds); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(shards)*10/seconds, "MB/s")
		b.ReportMetric(seconds/float64(shards)*1e9, "ns/shard")
	}
}

// python runs a program of testdata/readers with what .ci/readers installs, and returns what
// it prints.
func python(t testing.TB, program string, args ...string) string {
	t.Helper()
	installed := os.Getenv("KVSFRAMES_READERS")
	if installed == "" {
		installed = "../../.cache/readers"
	}
	cmd := exec.Command(filepath.Join(installed, "python/bin/python"),
		append([]string{"../../testdata/readers/python/" + program}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, &said)
	}
	return string(out)
}
