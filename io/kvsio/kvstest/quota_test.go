package kvstest

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
)

func TestLimiter(t *testing.T) {
	at := func(ms int) time.Time { return newYear.Add(time.Duration(ms) * time.Millisecond) }
	steps := []struct {
		at    int
		media float64
		want  bool
	}{
		{0, 60, true}, {0, 50, false}, {0, 40, true}, // a second's worth at once
		{0, 1, false}, {99, 10, false}, {100, 10, true}, // then as it comes
		{5000, 100, true}, {5000, 1, false}, // never more than a second's worth
		{5999, 250, false}, {6000, 250, true}, // more than that waits for all of it
		{7499, 1, false}, {7510, 1, true}, // and leaves a debt
	}
	l := newLimiter(100, 0)
	for i, s := range steps {
		if got := l.take(at(s.at), s.media, 1e9); got != s.want {
			t.Errorf("step %d: %v, want %v", i, got, s.want)
		}
	}
	both := newLimiter(100, 10)
	if both.take(at(0), 1, 10); both.take(at(0), 1, 10) {
		t.Error("the second bucket is empty")
	}
	if !both.take(at(0), 99, 0) {
		t.Error("a refused call has taken from the first bucket")
	}
}

func TestLimiterChangesItsRates(t *testing.T) {
	steps := []struct {
		at   int // ms
		rate float64
		cost float64
		want bool
	}{
		{0, 100, 30, true}, {0, 50, 40, true}, {0, 50, 11, false}, // 70 are left, and 50 stay
		{0, 100, 11, false}, {500, 100, 60, true}, // a raise gives nothing at once
		{500, 0, 1e9, true}, {9000, 0, 1e9, true}, // no limit, and no debt
		{9000, 100, 1, false}, {10_000, 100, 100, true},
	}
	l := newLimiter(100)
	for i, s := range steps {
		at := newYear.Add(time.Duration(s.at) * time.Millisecond)
		l.setRates(at, s.rate)
		if got := l.take(at, s.cost); got != s.want {
			t.Errorf("step %d: %v, want %v", i, got, s.want)
		}
	}
}

func TestSetQuota(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam"), camera("other")}}) // no limits
	f.mustImages("cam")
	if err := f.srv.SetQuota("cam", Quota{MediaPoints: 0.001}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.images("cam"); codeOf(err) != "ClientLimitExceededException" {
		t.Errorf("got %v", err)
	}
	f.mustImages("other")
	if err := f.srv.SetQuota("cam", Quota{}); err != nil {
		t.Fatal(err)
	}
	f.mustImages("cam")
	for _, c := range []struct {
		stream string
		quota  Quota
		want   string
	}{
		{"nowhere", Quota{}, `there is no stream "nowhere"`},
		{"cam", Quota{MediaPoints: -1}, "quota.media_points: is -1: must be 0 (no limit) or more"},
		{"cam", Quota{MetadataPoints: math.Inf(1)}, "quota.metadata_points: is +Inf: must be 0 (no limit) or more"},
	} {
		if err := f.srv.SetQuota(c.stream, c.quota); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestQuotas(t *testing.T) {
	cam := func(media, metadata float64) Config {
		c := camera("cam")
		c.Quota = &Quota{media, metadata}
		return Config{Streams: []Stream{c}}
	}
	// calls counts those that pass before one is refused, up to 30.
	calls := func(f fixture, max int64) (passed int) {
		client := f.client(f.endpoint("cam"))
		for passed < 30 {
			_, err := client.GetImages(t.Context(), f.input("cam", pageOf(max)))
			if codeOf(err) == "ClientLimitExceededException" {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			passed++
		}
		return passed
	}
	for _, c := range []struct {
		name string
		cfg  Config
		max  int64
		want int
	}{
		{"media points are what is asked for", cam(5, 0), 5, 1},
		{"not more than a page", cam(50, 0), 100, 2},
		{"metadata points are 400 more", cam(0, 820), 10, 2},
		{"no limit", cam(0, 0), 25, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			// A slow machine may let one more pass.
			if got := calls(start(t, c.cfg), c.max); got != c.want && got != c.want+1 {
				t.Errorf("%d calls passed, want %d", got, c.want)
			}
		})
	}
}

func TestControlPlaneQuotas(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam"), camera("other")}})
	passed := 0
	for passed < 50 {
		_, err := f.control.DescribeStream(t.Context(), &kinesisvideo.DescribeStreamInput{StreamName: new("cam")})
		if codeOf(err) == "ClientLimitExceededException" {
			break
		}
		passed++
	}
	if passed < describeRate || passed == 50 {
		t.Errorf("%d calls passed, want %d", passed, describeRate)
	}
	if _, err := f.control.DescribeStream(t.Context(),
		&kinesisvideo.DescribeStreamInput{StreamName: new("other")}); err != nil {
		t.Errorf("another stream: %v", err)
	}
	f.endpoint("cam") // has a quota of its own
}
