package httpguard

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestRedirects: nothing reaches the host that an answer names, and the error
// tells both hosts, and nothing else that the answer says.
func TestRedirects(t *testing.T) {
	var reached atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer thief.Close()
	status, location := 0, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	client := &http.Client{Transport: New(http.DefaultTransport, AtMost(10))}
	call := func() (*http.Response, error) {
		r, err := http.NewRequest(http.MethodPost, server.URL+"/secret-path", strings.NewReader("secret body"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Security-Token", "secret token")
		return client.Do(r)
	}
	for _, status = range []int{301, 302, 303, 307, 308} {
		for _, c := range []struct{ location, want string }{
			{thief.URL + "/take?it", `"` + thief.URL + `"`},
			{"http://user:secret@evil.example.com/x", `"http://evil.example.com"`},
			{"//evil.example.com", `"http://evil.example.com"`},
			{"/elsewhere", `"` + server.URL + `"`},
			{"http://" + strings.Repeat("long.", 10_000) + "example.com", "long.long"},
			{"http://%zz", "a Location that cannot be read"},
			{"http://evil\u202e.example.com/", `evil\u202e.example.com`},
		} {
			location = c.location
			_, err := call()
			var redirect *RedirectError
			if !errors.As(err, &redirect) || redirect.RetryableError() {
				t.Fatalf("%d to %.100s: %v", status, c.location, err)
			}
			text := redirect.Error()
			if !strings.Contains(text, c.want) || !strings.Contains(text, `"`+server.URL+`"`) ||
				strings.Contains(text, "secret") || len(text) > 1000 {
				t.Errorf("%d to %.100s: %.2000s, want %s", status, c.location, text, c.want)
			}
		}
		location = ""
		if answer, err := call(); err != nil || answer.StatusCode != status {
			t.Errorf("%d without a Location: %v, %v", status, answer, err)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d calls were sent on", n)
	}
}

// TestFollowedRedirect: the answer of a host that was not asked is none, where a
// client of a user's own has followed a redirect.
func TestFollowedRedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer server.Close()
	follows := roundTrip(func(r *http.Request) (*http.Response, error) { return http.Get(r.URL.String()) })
	_, err := (&http.Client{Transport: New(follows, AtMost(10))}).Get(server.URL)
	var redirect *RedirectError
	if !errors.As(err, &redirect) || !strings.Contains(redirect.To, other.URL) {
		t.Errorf("%v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// counted counts what is read.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestLimits: a body may be as long as its limit, and a byte more is an error
// however often it is read on.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		status int
		most   int64
	}{{200, 1000}, {206, 1000}, {304, LongestError}, {400, LongestError}, {403, LongestError}, {503, LongestError}} {
		body := &counted{Reader: endless{}}
		client := &http.Client{Transport: New(roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: c.status, Body: io.NopCloser(body)}, nil
		}), AtMost(1000))}
		get := func(length int64) ([]byte, error) {
			body.Reader, body.n = io.LimitReader(endless{}, length), 0
			answer, err := client.Get("http://service.example.com")
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			data, err := io.ReadAll(answer.Body)
			if n, again := io.Copy(io.Discard, answer.Body); again != err || n != 0 {
				t.Errorf("HTTP %d: read on: %d bytes, %v", c.status, n, again)
			}
			return data, err
		}
		if data, err := get(c.most); err != nil || int64(len(data)) != c.most {
			t.Errorf("HTTP %d: %d of %d bytes, %v", c.status, len(data), c.most, err)
		}
		data, err := get(1 << 40)
		var long *LongBodyError
		if !errors.As(err, &long) || long.Status != c.status || !long.RetryableError() || int64(len(data)) != c.most ||
			body.n > c.most+1 {
			t.Errorf("HTTP %d: %d bytes, %d read, %v", c.status, len(data), body.n, err)
		}
	}
}

// TestGzipBomb: what counts is what is unpacked.
func TestGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	pack := gzip.NewWriter(&bomb)
	io.CopyN(pack, endless{}, 50<<20)
	pack.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bomb.Bytes())
	}))
	defer server.Close()
	answer, err := (&http.Client{Transport: New(http.DefaultTransport, AtMost(1<<20))}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	var long *LongBodyError
	if !errors.As(err, &long) || n != 1<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// sdkBody is the body of a call of the AWS SDK, which closes it when the answer begins.
type sdkBody struct {
	*strings.Reader
	closed bool
}

func (b *sdkBody) Close() error {
	b.closed = true
	return nil
}

func (b *sdkBody) Read(p []byte) (int, error) {
	if b.closed {
		return 0, io.EOF
	}
	return b.Reader.Read(p)
}

func (b *sdkBody) WriteTo(w io.Writer) (int64, error) {
	if b.closed {
		return 0, io.EOF
	}
	return b.Reader.WriteTo(w)
}

// TestClosedBodyDoesNotFail: net/http looks for more of the body after it has sent all
// of it; meanwhile the answer may have come, and the caller closed the body.
func TestClosedBodyDoesNotFail(t *testing.T) {
	sent := ""
	transport := New(roundTrip(func(r *http.Request) (*http.Response, error) {
		text, err := io.ReadAll(io.LimitReader(r.Body, r.ContentLength))
		if err != nil {
			return nil, err
		}
		sent = string(text)
		r.Body.Close()
		if n, err := io.Copy(io.Discard, r.Body); n != 0 || err != nil {
			t.Errorf("a closed body: %d bytes more, %v", n, err)
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}), AtMost(10))
	r := httptest.NewRequest(http.MethodPost, "/", &sdkBody{Reader: strings.NewReader("the call")})
	r.ContentLength = int64(len("the call"))
	if _, err := transport.RoundTrip(r); err != nil || sent != "the call" {
		t.Errorf("%q was sent: %v", sent, err)
	}
}
