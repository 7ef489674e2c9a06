//go:build readers

package dataset

import (
	"fmt"
	"testing"
)

// BenchmarkDuckDB has DuckDB count the samples of ten cameras and a month, an image every 3
// seconds, by stream and outcome: in the files of the index, and in one file with the same
// rows, which DuckDB writes.
func BenchmarkDuckDB(b *testing.B) {
	dir := b.TempDir()
	if _, err := month(b, dir, monthOf(10, 100), 100).Finish(b.Context(), FinishOptions{}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var files, one, filesCPU, oneCPU float64
		if _, err := fmt.Sscan(python(b, "indextime.py", dir, "40"), &files, &one, &filesCPU, &oneCPU); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(files*1e3, "ms/files")
		b.ReportMetric(files/one, "files/one-file")
		b.ReportMetric(filesCPU*1e3, "CPU-ms/files")
		b.ReportMetric(filesCPU/oneCPU, "CPU-files/one-file")
	}
}
