package kvsio

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
)

// A throttle is never fatal by itself; nothing but throttles is, in the end.
func TestThrottlePatience(t *testing.T) {
	c := callsTo(t, "http://unused")
	c.engine.params.ThrottlePatience = time.Minute
	throttle := answered(400, "ClientLimitExceededException", "slow down")
	refuse := func() error {
		refused := 0
		return c.handle(t.Context(), throttled, throttle, "", &refused)
	}
	if err := refuse(); err != nil {
		t.Fatalf("the first throttle: %v", err)
	}
	c.stream.silence = time.Now().Add(-time.Hour)
	if err := refuse(); err == nil || !strings.Contains(err.Error(), "no call got through for 1h0m0s") {
		t.Errorf("after an hour: %v", err)
	}
	c.stream.answer()
	if err := refuse(); err != nil {
		t.Errorf("after a call got through: %v", err)
	}
}

func TestCallTimeout(t *testing.T) {
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-gone:
		}
	}))
	defer server.Close()
	defer close(gone)
	c := callsTo(t, server.URL)
	c.engine.params.CallTimeout = time.Millisecond
	_, _, err := callOnce(t.Context(), c, server.URL)
	if !errors.Is(err, context.DeadlineExceeded) || judge(err) != again {
		t.Errorf("%v", err)
	}
}

// The service charges for what is asked for, and never for more than a page.
func TestImagesAskedFor(t *testing.T) {
	for _, c := range []struct {
		maxResults *int64
		want       int
	}{{nil, 25}, {aws.Int64(1), 1}, {aws.Int64(25), 25}, {aws.Int64(100), 25}} {
		if n := imagesAskedFor(&media.GetImagesInput{MaxResults: c.maxResults}); n != c.want {
			t.Errorf("%d for %v", n, c.maxResults)
		}
	}
}

// A stream that nobody has asked for an hour was not silent for an hour.
func TestSilenceBeginsWithAThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(streamKey{name: "cam"}, nil, nil)
		for range 2 {
			time.Sleep(time.Hour)
			if d := s.silent(); d != 0 {
				t.Errorf("silent for %v at the first throttle", d)
			}
			time.Sleep(time.Minute)
			if d := s.silent(); d != time.Minute {
				t.Errorf("silent for %v after a minute of throttles", d)
			}
			s.answer()
		}
	})
}
