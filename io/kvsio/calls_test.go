package kvsio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	control "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pagetest"
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

// Pictures wait for the memory budget as they come off the wire, and however
// long that takes, the call is not made again for it: it was paid for.
func TestPicturesWaitForMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 3_000_000
		page := pagetest.Page(4, size)
		var calls atomic.Int64
		client := roundTrip(func(*http.Request) (*http.Response, error) {
			calls.Add(1)
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(page))}, nil
		})
		e := newEngine(ReadParams{MemoryBudget: 100 << 20}.withDefaults(), clients{
			media: media.NewFromConfig(benchConfig, func(o *media.Options) { o.HTTPClient = &http.Client{Transport: client} }),
		})
		s := e.stream(grid.StreamKey{Name: "cam"})
		s.endpoints[control.APINameGetImages] = dataEndpoint{"http://unused", time.Now()}
		oldest := e.admission.Enter(80 << 20)
		young := e.admission.Enter(1 << 20)
		c := &shardCalls{
			imageCalls: imageCalls{engine: e, stream: &reading{stream: s}, stats: &callStats{}},
			series:     benchSeries, ticket: young,
		}
		var granted atomic.Int64
		c.reserve = func(ctx context.Context, pictures, bytes int64) error {
			err := c.need(ctx, pictures, bytes)
			if err == nil {
				granted.Store(bytes)
			}
			return err
		}
		done := make(chan error)
		go func() {
			_, _, err := c.Page(t.Context(), benchWindow, "", 4)
			done <- err
		}()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := granted.Load(); n < 2*size || n >= 4*size {
			t.Errorf("there is memory for %d bytes of pictures", n)
		}
		oldest.Leave()
		if err := <-done; err != nil || calls.Load() != 1 {
			t.Errorf("%v after %d calls", err, calls.Load())
		}
	})
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

// A stream that nobody has asked for an hour was not silent for an hour, and one
// that was silent for a job is not yet for the next.
func TestSilenceBeginsWithAThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &reading{stream: newStream(grid.StreamKey{Name: "cam"}, nil, nil)}
		for try := range 3 {
			if try == 2 {
				s.silent()
				s = &reading{stream: s.stream}
			}
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
