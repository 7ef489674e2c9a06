package kvsio_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// justified is the reason of the gaps that a kind of fault may leave where it
// hits a sample twice. The others leave none.
var justified = map[string]string{
	"bad_base64":       frame.Corrupt,
	"far_timestamp":    frame.Corrupt,
	"corrupt_image":    frame.Corrupt,
	"missing_sample":   frame.NotReturned,
	"empty_entry":      frame.NotReturned,
	"out_of_retention": frame.OutOfRetention,
}

var faultKinds = []string{
	"throttle", "server_error", "reset", "truncated_body", "bad_base64", "corrupt_image", "missing_sample",
	"empty_entry", "extra_sample", "shifted_timestamp", "far_timestamp", "empty_page", "repeated_token",
	"endpoint_expired", "out_of_retention",
}

func TestFaultsLoseNothing(t *testing.T) {
	t.Parallel()
	config := kvstest.Config{Streams: []kvstest.Stream{{
		Name: "cam", Fragment: 7 * time.Second, Quota: noQuota(),
		Media: []kvstest.Range{
			{From: newYear, To: newYear.Add(30 * time.Minute)},
			{From: newYear.Add(32 * time.Minute), To: newYear.Add(2 * time.Hour)},
		},
	}}}
	asked := request("cam", newYear.Add(time.Second), 90*time.Minute)
	asked.WidthPixels, asked.HeightPixels = 16, 16 // which differ, and nobody reads
	good := kvstest.NewServer(config)
	defer good.Close()
	want, wantGaps := run(t, "direct", paramsOf(good), asked)
	mixed := make([]kvstest.Fault, 0, len(faultKinds))
	cases := map[string][]kvstest.Fault{}
	for _, kind := range faultKinds {
		mixed = append(mixed, kvstest.Fault{Kind: kind, Rate: 0.05})
		cases[kind] = []kvstest.Fault{{Kind: kind, Rate: 0.2}}
	}
	// Refused three times in a row, a range counts as out of retention.
	cases["out_of_retention"] = []kvstest.Fault{{Kind: "out_of_retention", Rate: 0.05}}
	cases["all"] = mixed
	for name, faults := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := config
			config.Faults = faults
			server := kvstest.NewServer(config)
			defer server.Close()
			frames, gaps := run(t, "prism", paramsOf(server), asked)
			compare(t, faults, want, wantGaps, frames, gaps)
		})
	}
}

// compare holds a run against one without faults: it may lack only frames that
// a fault justifies.
func compare(t *testing.T, faults []kvstest.Fault, want []frame.Frame, wantGaps []frame.Gap, frames []frame.Frame,
	gaps []frame.Gap,
) {
	t.Helper()
	if len(frames)+len(gaps) != len(want)+len(wantGaps) {
		t.Fatalf("%d frames and %d gaps of %d samples", len(frames), len(gaps), len(want)+len(wantGaps))
	}
	had := make(map[string]frame.Frame)
	for _, f := range frames {
		had[f.Key()] = f
	}
	reasons := make(map[string]string)
	for _, g := range gaps {
		reasons[frame.Key(g.Stream, g.SampleMs)] = g.Reason
	}
	for _, g := range wantGaps {
		if key := frame.Key(g.Stream, g.SampleMs); reasons[key] != g.Reason {
			t.Errorf("%s is %q, want %s", key, reasons[key], g.Reason)
		}
	}
	lost := make(map[string]int)
	for _, w := range want {
		f, ok := had[w.Key()]
		if ok {
			if !bytes.Equal(f.Data, w.Data) {
				t.Errorf("%s is another picture", w.Key())
			}
			continue
		}
		lost[reasons[w.Key()]]++
		allowed := false
		for _, fault := range faults {
			allowed = allowed || justified[fault.Kind] == reasons[w.Key()]
		}
		if !allowed {
			t.Errorf("%s is a gap %s", w.Key(), reasons[w.Key()])
		}
	}
	if total := lost[frame.Corrupt] + lost[frame.NotReturned] + lost[frame.OutOfRetention]; total > len(want)/100 {
		t.Errorf("frames lost: %v", lost)
	}
}

func TestStreamThatCannotWorkFailsQuickly(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{
		{Name: "good", Media: day, Quota: noQuota()},
		{Name: "forbidden", Media: day, Quota: noQuota()},
	}, Faults: []kvstest.Fault{{Kind: "endpoint_expired", Rate: 1, Streams: []string{"forbidden"}}}})
	defer server.Close()
	p := paramsOf(server)
	p.KeepGoing, p.MaxInFlight = true, 4
	frames, gaps := run(t, "prism", p,
		request("good", newYear, time.Hour), request("forbidden", newYear, 2*time.Hour),
		request("unknown", newYear, 2*time.Hour))
	if len(frames) != 1200 || len(gaps) != 2*2400 {
		t.Errorf("%d frames, %d gaps", len(frames), len(gaps))
	}
	for _, g := range gaps {
		if g.Reason != frame.Failed || g.Cause == "" {
			t.Fatalf("%+v", g)
		}
	}
	// as many endpoints as may have expired, four calls at once
	if calls := server.Stats().Streams["forbidden"].GetImagesCalls; calls > 4*4 {
		t.Errorf("%d calls of a stream that is forbidden", calls)
	}
}

// A worker on a machine that cannot reach the service says so in seconds. One
// that could once is patient.
func TestUnreachableIsKnownSoon(t *testing.T) {
	p := kvsio.ReadParams{AWS: kvsio.AWSParams{EndpointURL: "http://127.0.0.1:1", Region: "us-east-1"}}
	plan, err := kvsio.NewPlan(t.Context(), p, []kvsio.Request{request("cam", newYear, time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	err = kvsio.FetchAll(t.Context(), p, plan, func(frame.Shard) {})
	if text := fmt.Sprint(err); !strings.Contains(text, "after 6 attempts") ||
		!strings.Contains(text, "connection refused") {
		t.Errorf("%v", err)
	}
}
