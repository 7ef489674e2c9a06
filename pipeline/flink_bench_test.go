//go:build flink

package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// One machine and two, each with two slots and a worker process that may have 8
// calls of 200 ms under way, on the same work: calls a second from the first call
// to the last answer.
func BenchmarkFlinkMachines(b *testing.B) {
	const streams, shards = 24, 24 * 100 // a call each
	rates := map[int]float64{}
	for _, machines := range []int{1, 2} {
		b.Run(fmt.Sprintf("machines=%d", machines), func(b *testing.B) {
			f := startFlink(b, "start", fmt.Sprint(machines), "2")
			for b.Loop() {
				w := newWorld(b, cameras(streams, 200*time.Millisecond))
				w.must(0, append(ask("out", 50, names(streams)...), f.on(2*machines)...)...)
				took := w.last.Sub(w.first).Seconds()
				calls := slices.Collect(maps.Values(w.workers()))
				if len(calls) != machines {
					b.Fatalf("calls by worker process: %v", calls)
				}
				all := w.server.Stats().GetImagesCalls
				rates[machines] = float64(all) / took
				b.ReportMetric(rates[machines], "calls/s")
				b.ReportMetric(rates[machines]/rates[1], "of_one_machine")
				b.ReportMetric(float64(all)/shards, "calls/minimum")
				b.ReportMetric(float64(slices.Max(calls))/float64(slices.Min(calls)), "most/least_calls")
			}
		})
	}
}
