package kvsio_test

import (
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// BenchmarkQuota reads streams with quotas for a minute and says how much of
// the quota was used, from the first second on, and how many calls were one too
// many after the first ten. Calls take 100 ms, and pictures are small.
func BenchmarkQuota(b *testing.B) {
	for _, row := range []struct {
		name      string
		streams   int
		processes int
		points    float64 // media points a second and stream
		told      float64
	}{
		{"not told", 20, 1, 125, kvsio.UnknownQuota},
		{"not told, two processes", 20, 2, 125, kvsio.UnknownQuota},
		{"told, all of it", 1, 1, 500, 500},
	} {
		b.Run(row.name, func(b *testing.B) {
			const seconds = 60
			w := newWorld(b, worldConfig{
				streams: row.streams, picture: 2000, latency: 100 * time.Millisecond, quota: quotaOf(row.points),
			})
			j := w.endlessJob(row.told, 1, seconds*row.points)
			for b.Loop() {
				seen := w.watch(b, j, row.processes, seconds, func(int) {})
				b.ReportMetric(100*seen.images(0, seconds)/(row.points*float64(row.streams)), "%-used")
				b.ReportMetric(100*seen.throttled(10, seconds), "%-throttled")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkQuotaChanges reads a stream whose quota drops from 250 points a
// second to 50 for 30 s, and says how many images a second come in the second
// ten seconds after each change.
func BenchmarkQuotaChanges(b *testing.B) {
	for _, row := range []struct {
		name        string
		told, share float64
	}{
		{"told 500, half of it", 500, 0.5},
		{"not told", kvsio.UnknownQuota, 1},
	} {
		b.Run(row.name, func(b *testing.B) {
			const most, least, drop, rise, seconds = 250, 50, 20, 50, 70
			for b.Loop() {
				w := newWorld(b, worldConfig{
					streams: 1, picture: 2000, latency: 100 * time.Millisecond, quota: quotaOf(most),
				})
				change := func(second int) {
					var err error
					switch second {
					case drop:
						err = w.server.SetQuota(w.names[0], quotaOf(least))
					case rise:
						err = w.server.SetQuota(w.names[0], quotaOf(most))
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				seen := w.watch(b, w.endlessJob(row.told, row.share, seconds*most), 1, seconds, change)
				b.ReportMetric(seen.images(10, drop), "images/s-of-250")
				b.ReportMetric(seen.images(drop+10, drop+20), "images/s-of-50")
				b.ReportMetric(seen.images(rise+10, rise+20), "images/s-of-250-again")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// quotaOf is a quota in the service's proportions.
func quotaOf(mediaPoints float64) kvstest.Quota {
	return kvstest.Quota{MediaPoints: mediaPoints, MetadataPoints: 20 * mediaPoints}
}

// endlessJob reads twice what a quota lets through, which is images a stream.
func (w *world) endlessJob(told, share, images float64) job {
	p := paramsOf(w.server)
	p.MaxInFlight, p.StreamQuota, p.QuotaShare = 64, told, share
	return job{Params: p, Requests: w.ask(2 * int(images))}
}

// eachSecond is what a stand-in had counted when each second was over, from its
// first call on.
type eachSecond []kvstest.Counts

// watch lets processes do one and the same job, and kills them when time is up.
// It calls at in the beginning of each second.
func (w *world) watch(b *testing.B, j job, processes, seconds int, at func(second int)) eachSecond {
	b.Helper()
	w.server.ResetStats()
	ended := make(chan error, processes)
	for range processes {
		c := j.command(b)
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		defer c.Process.Kill()
		go func() { ended <- c.Wait() }()
	}
	await := func(d time.Duration) {
		select {
		case <-time.After(d):
		case err := <-ended:
			b.Fatalf("a process ended before its time: %v", err)
		}
	}
	for w.server.Stats().GetImagesCalls == 0 {
		await(time.Millisecond)
	}
	seen, began := eachSecond{{}}, time.Now()
	for second := range seconds {
		at(second)
		await(time.Until(began.Add(time.Duration(second+1) * time.Second)))
		seen = append(seen, w.server.Stats().Counts)
	}
	return seen
}

// images returns how many came a second.
func (s eachSecond) images(from, to int) float64 {
	return float64(s[to].Images-s[from].Images) / float64(to-from)
}

// throttled returns the share of calls that were refused as too many.
func (s eachSecond) throttled(from, to int) float64 {
	const code = "ClientLimitExceededException"
	return float64(s[to].Refused[code]-s[from].Refused[code]) / float64(s[to].GetImagesCalls-s[from].GetImagesCalls)
}
