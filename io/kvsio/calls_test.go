package kvsio

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A throttle is never fatal by itself; nothing but throttles is, in the end.
func TestThrottlePatience(t *testing.T) {
	c := callsTo(t, "http://unused")
	c.engine.params.ThrottlePatience = time.Minute
	throttle := answered(400, "ClientLimitExceededException", "slow down")
	refuse := func() error {
		refused := 0
		return c.handle(t.Context(), throttled, throttle, "", "", &refused)
	}
	if err := refuse(); err != nil {
		t.Fatalf("the first throttle: %v", err)
	}
	c.stream.answered = time.Now().Add(-time.Hour)
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
	_, _, err := c.call(t.Context(), server.URL, benchWindow, "", pageSize)
	if !errors.Is(err, context.DeadlineExceeded) || judge(err) != again {
		t.Errorf("%v", err)
	}
}
