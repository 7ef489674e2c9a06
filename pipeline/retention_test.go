package pipeline

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// hours is an instant some hours after start.
func hours(h float64) time.Time { return after(3600 * h) }

// aged is an archive whose clock stands two days after start. It has footage of all that time,
// as far as its streams keep it.
func aged(t *testing.T, streams ...kvstest.Stream) archive {
	t.Helper()
	for i := range streams {
		s := &streams[i]
		s.Width, s.Height, s.Quota, s.Fragment = 16, 16, &kvstest.Quota{}, 20*time.Second
		if s.Media == nil {
			s.Media = []kvstest.Range{{From: start, To: hours(48)}}
		}
	}
	server := kvstest.NewServer(kvstest.Config{Streams: streams, Now: func() time.Time { return hours(48) }})
	t.Cleanup(server.Close)
	useServer(t, server)
	return archive{t, server, t.TempDir() + "/out"}
}

// minutesOf asks for a sample a minute of some hours of a stream.
func minutesOf(stream string, from, to float64) kvsio.Request {
	return kvsio.Request{
		StreamName: stream, ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: hours(from), EndTimestamp: hours(to),
		SamplingInterval: time.Minute, Format: frame.JPEG,
	}
}

// asOf are options by the clock of an aged archive.
func asOf(requests ...kvsio.Request) Options {
	o := Options{Requests: requests, Now: hours(48)}
	o.Read.StreamQuota = kvsio.UnknownQuota
	o.Read.ClockSkew = time.Until(hours(48).Add(-30 * time.Second)) // time passes meanwhile
	return o
}

// TestOutOfRetention: what is empty and older than the stream keeps is OUT_OF_RETENTION, never
// NO_MEDIA; by the server's clock it takes no call; what came late is there all the same.
func TestOutOfRetention(t *testing.T) {
	day := 24 * time.Hour
	a := aged(t,
		kvstest.Stream{Name: "cam", Retention: &day},
		kvstest.Stream{
			Name: "late", Retention: &day,
			Media: []kvstest.Range{{From: hours(21), To: hours(26)}, {From: hours(27), To: hours(48)}},
			Late:  []kvstest.Late{{From: hours(20), To: hours(21), At: hours(47)}},
		})
	byServer := func(stream string, from, to float64) kvsio.Request {
		r := minutesOf(stream, from, to)
		r.ImageSelectorType = kvsio.ServerTimestamp
		return r
	}
	for i, test := range []struct {
		request              kvsio.Request
		frames, old, noMedia int64
	}{
		{minutesOf("cam", 20, 28), 240, 240, 0},
		{byServer("cam", 20, 28), 240, 240, 0},
		{byServer("cam", 1, 3), 0, 120, 0},
		{minutesOf("cam", 1, 3), 0, 120, 0},
		{minutesOf("late", 20, 28), 60 + 180, 180, 60},
	} {
		s, images, said, err := a.fetch(asOf(test.request))
		if err != nil || s.Frames != test.frames || s.Gaps[frame.OutOfRetention] != test.old ||
			s.Gaps[frame.NoMedia] != test.noMedia || s.Samples != test.frames+test.old+test.noMedia {
			t.Errorf("%d: %+v, %v; want %+v", i, s.Counts, err, test)
		}
		calls, lost := *s.GetImagesCalls, s.Lost
		if byServer := test.request.ImageSelectorType == kvsio.ServerTimestamp; byServer && test.frames == 0 && calls != 0 ||
			byServer && images > 260 {
			t.Errorf("%d: %d calls and %d images for what is lost for certain", i, calls, images)
		}
		if want := int64(max(0, 24*60-test.request.StartTimestamp.Sub(start).Minutes())); lost != min(want, s.Samples) ||
			!strings.Contains(said, "samples to be fetched are older than what their streams keep") {
			t.Errorf("%d: %d are lost, want %d: %s", i, lost, want, said)
		}
	}
	// A night that finds it all there has nothing to lose.
	if s, _, said, err := a.fetch(asOf(minutesOf("cam", 20, 28))); err != nil || s.Lost != 0 || said != "" {
		t.Errorf("%+v, %s, %v", s, said, err)
	}
}

// imageCalls are the streams that GetImages is called for and where its ranges begin, in order.
type imageCalls struct {
	mu     sync.Mutex
	calls  []string
	starts []time.Time
}

// watchImages has a stand-in be called through a proxy that takes note of calls of GetImages.
func watchImages(t *testing.T, server *kvstest.Server) *imageCalls {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	seen, proxy := new(imageCalls), httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		var in struct {
			StreamARN      string
			StartTimestamp float64
		}
		if strings.HasSuffix(r.URL.Path, "/getImages") && json.Unmarshal(body, &in) == nil {
			seen.mu.Lock()
			seen.calls = append(seen.calls, strings.Split(in.StreamARN, "/")[1])
			seen.starts = append(seen.starts, time.UnixMilli(int64(in.StartTimestamp*1000)))
			seen.mu.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	t.Setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", front.URL)
	return seen
}

// TestWhatAgesOutFirstIsFirst: of streams that wait, and within one.
func TestWhatAgesOutFirstIsFirst(t *testing.T) {
	day, week := 24*time.Hour, 168*time.Hour
	a := aged(t, kvstest.Stream{Name: "ages"}, kvstest.Stream{Name: "day", Retention: &day},
		kvstest.Stream{Name: "week", Retention: &week})
	seen := watchImages(t, a.server)
	o := asOf(minutesOf("ages", 1, 5), minutesOf("week", 1, 4), minutesOf("day", 23, 25))
	o.Read.MaxInFlight, o.Read.ShardSamples = 1, 20
	if _, _, _, err := a.fetch(o); err != nil {
		t.Fatal(err)
	}
	first := []string{}
	for _, name := range seen.calls {
		if len(first) == 0 || first[len(first)-1] != name {
			first = append(first, name)
		}
	}
	if got := strings.Join(first[:6], " "); got != "day week ages day week ages" {
		t.Errorf("the order is %s", got)
	}
	if seen.starts[0].Before(hours(24).Add(-20 * time.Minute)) {
		t.Errorf("it begins with what is lost, of %v", seen.starts[0])
	}
}

// TestAtRisk: samples that age out before the job gets to them are told before it begins.
func TestAtRisk(t *testing.T) {
	o := Options{}
	o.Read.StreamQuota, o.Read.QuotaShare = 0.02, 0.5 // 100 s a sample
	spans := []frame.Span{minutesOf("cam", 23, 26).Span()}
	l := aging{spans, map[string]time.Duration{"": 24 * time.Hour}, hours(48)}.at(o.expectedPace(1))
	// The job begins with 24:00 and gets to sample i in 100·i s, when what is before 24:00 + 100·i s is gone.
	if l.lost != 60 || l.atRisk != 119 || len(l.streams) != 1 {
		t.Errorf("%+v", l)
	}
	if o.Read.StreamQuota = kvsio.UnknownQuota; o.expectedPace(16) != 100 {
		t.Errorf("32 calls of 25 images for 16 streams are %v a second", o.expectedPace(16))
	}
}

// TestOvertaken: as counted one by one.
func TestOvertaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) float64 { return float64(rapid.IntRange(0, 40).Draw(t, name)) }
		ages, ageStep, gets, getStep := draw("ages"), draw("ageStep"), draw("gets"), draw("getStep")
		n, want := rapid.Int64Range(0, 50).Draw(t, "n"), int64(0)
		for i := range n {
			if gets+float64(i)*getStep > ages+float64(i)*ageStep {
				want++
			}
		}
		if got := overtaken(ages, ageStep, gets, getStep, n); got != want {
			t.Fatalf("%d, want %d", got, want)
		}
	})
}
