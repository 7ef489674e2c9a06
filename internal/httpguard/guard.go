// Package httpguard keeps servers, and whoever answers in their place, from
// doing harm to who calls them: no redirect is followed, and no body is read
// past what an answer can be. It also tells a process without open files left from
// trouble at the other end.
package httpguard

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

const (
	// LongestError is how many bytes the body of an error may have.
	LongestError = 64 << 10

	// LongestAnswer is how many bytes an answer may have that holds no picture.
	LongestAnswer = 8 << 20

	// Unlimited is the limit of a body whose reader has a limit of its own.
	Unlimited = -1
)

// A Limit returns how many bytes the body of a successful answer to a request
// may have, or Unlimited.
type Limit func(*http.Request) int64

// AtMost returns the same Limit for all requests.
func AtMost(bytes int64) Limit { return func(*http.Request) int64 { return bytes } }

// New returns a transport that makes requests through next. An answer that
// redirects is a [*RedirectError]: a client that followed it would send what is
// in the request to a host that it is not for, and take that host's word for the
// service's. A body that is longer than its limit ends with a [*LongBodyError].
// Bytes are counted as they are read, after any decompression.
func New(next http.RoundTripper, limit Limit) http.RoundTripper { return &guard{next, limit} }

type guard struct {
	next  http.RoundTripper
	limit Limit
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := g.next.RoundTrip(withPlainBody(r))
	if err != nil {
		return nil, err
	}
	if err := redirected(r, response); err != nil {
		response.Body.Close()
		return nil, err
	}
	most := int64(LongestError)
	if response.StatusCode/100 == 2 {
		most = g.limit(r)
	}
	if most != Unlimited {
		response.Body = &body{ReadCloser: response.Body, left: most, long: LongBodyError{response.StatusCode, most}}
	}
	return response, nil
}

// withPlainBody returns r with a body that can only be read and closed. The AWS SDK closes
// the body of a call as soon as the answer begins, and from then on its WriteTo fails,
// where its Read says that there is no more. net/http, which may only now look for more
// than the length of the body, would take that for a failed request and close the
// connection in the middle of the answer: what was read of it would be lost, and paid for.
func withPlainBody(r *http.Request) *http.Request {
	if _, ok := r.Body.(io.WriterTo); !ok || r.Body == http.NoBody {
		return r
	}
	plain := *r
	plain.Body = struct{ io.ReadCloser }{r.Body}
	return &plain
}

// CloseIdleConnections lets http.Client's reach the transport.
func (g *guard) CloseIdleConnections() {
	if next, ok := g.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// body is a body that may be only so long.
type body struct {
	io.ReadCloser
	left int64 // negative: it was longer
	long LongBodyError
}

func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, &b.long
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, &b.long
	}
	return n, err
}

// LongBodyError says that the body of an answer is longer than it can be.
type LongBodyError struct {
	Status int
	Most   int64 // bytes
}

func (e *LongBodyError) Error() string {
	return fmt.Sprintf("the answer (HTTP %d) is longer than %d bytes, the most that is read of one", e.Status, e.Most)
}

// RetryableError tells the AWS SDK that the next answer may be whole.
func (*LongBodyError) RetryableError() bool { return true }

// RedirectError says that an answer was a redirect.
type RedirectError struct {
	From, To string // where the request went, and where it was sent on to: scheme and host, bounded and printable
	Header   http.Header
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("%s sends the call on to %s: no redirect is followed, since the call may hold credentials: look "+
		"at the endpoint, and at proxies on the way to it", e.From, e.To)
}

// RetryableError tells the AWS SDK that another attempt would be sent on, too.
func (*RedirectError) RetryableError() bool { return false }

// redirected returns a *RedirectError where an answer is a redirect that an HTTP
// client might follow, or comes from one that was followed. Without a Location
// there is nowhere to go: S3 answers so for a bucket in another region, and
// Google's storage in the middle of an upload.
func redirected(r *http.Request, response *http.Response) error {
	to := ""
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		if location := response.Header.Get("Location"); location != "" {
			to = "a Location that cannot be read"
			if u, err := r.URL.Parse(location); err == nil {
				to = origin(u)
			}
		}
	default:
		if response.Request != nil && response.Request.URL != nil && response.Request.URL.Host != r.URL.Host {
			to = origin(response.Request.URL)
		}
	}
	if to == "" {
		return nil
	}
	return &RedirectError{From: origin(r.URL), To: to, Header: response.Header}
}

// longestOrigin is more than the longest name of a host.
const longestOrigin = 300

// origin returns the scheme and host of a URL: no user, no path, and no query,
// any of which may hold what is secret.
func origin(u *url.URL) string {
	text := u.Scheme + "://" + u.Host
	return strconv.QuoteToASCII(text[:min(len(text), longestOrigin)])
}
