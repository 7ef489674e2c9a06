package dataset

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

const finishEnv = "KVSFRAMES_TEST_FINISH"

// BenchmarkFinishMemory measures what the process that has submitted a job is resident with when
// the job is over: Finish, and the counts of a summary, of 8.64 million new shards of a thousand
// cameras, in a process of its own. It fails above 1 GB.
func BenchmarkFinishMemory(b *testing.B) {
	const cameras, most = 1000, 1_000_000_000
	asked := monthOf(cameras, 1)
	if dir := os.Getenv(finishEnv); dir != "" {
		finishAlone(b, dir, cameras*monthShards)
		return
	}
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		month(b, dir, asked, 1)
		b.StartTimer()
		cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkFinishMemory$",
			"-test.benchtime=1x")
		cmd.Env = append(os.Environ(), finishEnv+"="+dir)
		out, err := cmd.CombinedOutput()
		_, text, _ := bytes.Cut(out, []byte("VmHWM:"))
		var kilobytes int64
		if _, scanned := fmt.Sscan(string(text), &kilobytes); err != nil || scanned != nil {
			b.Fatalf("%v, %v: %s", err, scanned, out)
		}
		if b.ReportMetric(float64(kilobytes)/1e6*1024, "MB"); kilobytes*1024 > most {
			b.Errorf("it was resident with %d kB", kilobytes)
		}
	}
}

// finishAlone finishes a dataset, and prints what Linux says of the process then: VmHWM is the
// most that it was resident with.
func finishAlone(b *testing.B, dir string, samples int64) {
	ds := opened(b, dir)
	contents, err := ds.Finish(b.Context(), FinishOptions{})
	if err != nil || !contents.Complete || contents.Samples != samples {
		b.Fatalf("%+v, %v", contents, err)
	}
	tallies, err := ds.Tally(b.Context(), monthOf(int(samples/monthShards), 1))
	if err != nil || len(tallies) != int(samples/monthShards) {
		b.Fatalf("%d series, %v", len(tallies), err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	os.Stdout.Write(status)
}
