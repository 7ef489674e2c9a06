package kvsio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// newHTTPClient makes the client of a process's calls.
func newHTTPClient(maxInFlight int) (client *http.Client, closeIdle func()) {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		// One connection a call under way, and one for its endpoint.
		MaxIdleConns:        2 * maxInFlight,
		MaxIdleConnsPerHost: 2 * maxInFlight,
		// Pictures do not get smaller, and base64 is quicker read than unpacked.
		DisableCompression: true,
		Protocols:          new(http.Protocols),
	}
	// Over HTTP/2 all calls to a host would share one connection, and its losses.
	transport.Protocols.SetHTTP1(true)
	guard := &stallGuard{next: wholeBody{transport}, patience: stallPatience}
	return &http.Client{Transport: guard}, transport.CloseIdleConnections
}

// wholeBody gives the transport request bodies that it knows to be in memory.
//
// The SDK closes a request's body once an answer has begun. When net/http is
// not yet done with it by then, as happens with a server that is near, it takes
// the write for failed and closes the connection in the middle of the answer.
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
	body := &guardedBody{ReadCloser: response.Body, patience: g.patience, cancel: cancel, cause: func() error { return context.Cause(ctx) }}
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
