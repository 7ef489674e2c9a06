// Package awsbase makes AWS configurations and HTTP clients for every AWS API
// that is called: what the SDK is configured with holds (CA, proxies, client
// certificates, dialers), no redirect is followed, and no body is read without
// end.
package awsbase

import (
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/kvsframes/kvsframes/internal/httpguard"
)

// dialTimeout is short enough to let someone know in seconds who has named an
// endpoint that does not answer.
const dialTimeout = 10 * time.Second

// defaultClient is the SDK's, but for how long it waits for a connection.
func defaultClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout })
}

// Client returns a client that makes calls as configured does, which is an
// [aws.Config]'s HTTPClient, through what wrap makes of its transport. Where
// configured is one of the SDK's, tune may change a copy of its transport;
// another one is the user's own, and stays as it is.
func Client(configured aws.HTTPClient, tune func(*http.Transport),
	wrap func(http.RoundTripper) http.RoundTripper,
) *http.Client {
	if configured == nil {
		configured = defaultClient()
	}
	switch c := configured.(type) {
	case *awshttp.BuildableClient:
		transport := c.GetTransport() // a copy
		tune(transport)
		return &http.Client{Transport: wrap(transport), Timeout: c.GetTimeout()}
	case *http.Client:
		wrapped := *c
		if wrapped.Transport == nil {
			wrapped.Transport = http.DefaultTransport
		}
		wrapped.Transport = wrap(wrapped.Transport)
		return &wrapped
	}
	return &http.Client{Transport: wrap(doer{configured})}
}

// Guarded returns a client as Client does, with a limit of its own.
func Guarded(configured aws.HTTPClient, tune func(*http.Transport), limit httpguard.Limit) *http.Client {
	return Client(configured, tune, func(t http.RoundTripper) http.RoundTripper { return httpguard.New(t, limit) })
}

// asIs tunes nothing.
func asIs(*http.Transport) {}

// doer is a client of a user's own, of which nothing is known.
type doer struct{ aws.HTTPClient }

func (d doer) RoundTrip(r *http.Request) (*http.Response, error) { return d.Do(r) }
