package kvsio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/internal/httpguard"
)

// newHTTPClient makes the client of a process's calls from the one that the SDK
// is configured with.
func newHTTPClient(configured aws.HTTPClient, maxInFlight int) (client *http.Client, closeIdle func()) {
	closeIdle = func() {}
	tune := func(t *http.Transport) {
		// One connection a call under way, and one for its endpoint.
		t.MaxIdleConns = 2 * maxInFlight
		t.MaxIdleConnsPerHost = 2 * maxInFlight
		// Pictures do not get smaller, and base64 is quicker read than unpacked.
		t.DisableCompression = true
		if t.Protocols == nil {
			// Over HTTP/2 all calls to a host would share one connection, and its losses.
			t.Protocols = new(http.Protocols)
			t.Protocols.SetHTTP1(true)
			if t.TLSClientConfig != nil { // a copy of one that was ready for HTTP/2, and offers it
				t.TLSClientConfig.NextProtos = nil
			}
		}
	}
	wrap := func(t http.RoundTripper) http.RoundTripper {
		if t, ok := t.(*http.Transport); ok {
			closeIdle = t.CloseIdleConnections
		}
		return &stallGuard{next: httpguard.New(wholeBody{t}, longestBody), patience: stallPatience}
	}
	return awsbase.Client(configured, tune, wrap), closeIdle
}

// longestStream is how many bytes an answer about one stream may have.
const longestStream = 64 << 10

// longestBody limits the answers of the service's APIs. Those of GetImages are
// limited where they are read, by how many images they are to hold.
func longestBody(r *http.Request) int64 {
	switch path.Base(r.URL.Path) {
	case "getImages":
		return httpguard.Unlimited
	case "describeStream", "getDataEndpoint":
		return longestStream
	}
	return httpguard.LongestAnswer
}

// wholeBody gives the transport request bodies that it knows to be in memory: they go
// out with their headers, and again where a connection that was kept proves closed.
type wholeBody struct{ next http.RoundTripper }

func (t wholeBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
	}
	return t.next.RoundTrip(r)
}

// stallPatience is how long a body may bring nothing before its call is given
// up and made again.
const stallPatience = 10 * time.Second

var errStalled = errors.New("the answer stalled")

// stallGuard gives up bodies that stall: a call's time limit alone would have
// to be as long as the longest good answer takes.
type stallGuard struct {
	next     http.RoundTripper
	patience time.Duration
}

func (g *stallGuard) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	response, err := g.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	body := &guardedBody{
		ReadCloser: response.Body, patience: g.patience, cancel: cancel,
		cause: func() error { return context.Cause(ctx) },
	}
	body.timer = time.AfterFunc(g.patience, func() { cancel(errStalled) })
	body.timer.Stop()
	response.Body = body
	return response, nil
}

type guardedBody struct {
	io.ReadCloser
	patience time.Duration
	timer    *time.Timer
	cancel   context.CancelCauseFunc
	cause    func() error
	closed   sync.Once
}

func (b *guardedBody) Read(p []byte) (int, error) {
	// Only while somebody wants to read does a body stall.
	b.timer.Reset(b.patience)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && err != io.EOF && errors.Is(b.cause(), errStalled) {
		err = errStalled
	}
	return n, err
}

func (b *guardedBody) Close() error {
	b.closed.Do(func() {
		b.timer.Stop()
		b.cancel(nil)
	})
	return b.ReadCloser.Close()
}
