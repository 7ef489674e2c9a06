package kvsio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// answered is the error of a call that the service answered.
func answered(status int, code, message string) error {
	var inner error = errors.New("a body that says nothing")
	if code != "" {
		inner = &smithy.GenericAPIError{Code: code, Message: message}
	}
	return &smithy.OperationError{
		ServiceID: "Kinesis Video Archived Media", OperationName: "GetImages",
		Err: &awshttp.ResponseError{
			RequestID: "4f5e6d7c",
			ResponseError: &smithyhttp.ResponseError{
				Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: inner,
			},
		},
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want verdict
	}{
		{"a throttle is a 400", answered(400, "ClientLimitExceededException", ""), throttled},
		{"a throttle by status", answered(429, "", ""), throttled},
		{"a wrong request", answered(400, "InvalidArgumentException", "StartTimestamp"), wrong},
		{
			"retention's edge", answered(400, "InvalidArgumentException", "the range is outside of the stream retention period"),
			outOfRetention,
		},
		{
			"retention's edge as a 404", answered(404, "InvalidArgumentException", "outside of the stream retention period"),
			outOfRetention,
		},
		{
			"a range without fragments",
			earlyRange{answered(404, "ResourceNotFoundException", "No fragments found")},
			outOfRetention,
		},
		{"no such stream", answered(404, "ResourceNotFoundException", ""), gone},
		{"a proxy that knows no such page", answered(404, "", ""), again},
		{"a proxy that wants a password", answered(407, "UnknownError", ""), again},
		{"an address of another service", answered(404, "UnknownOperationException", ""), wrong},
		{"a stream that keeps nothing", answered(400, "NoDataRetentionException", ""), gone},
		{"not authorized", answered(401, "NotAuthorizedException", ""), forbidden},
		{"a 403 that does not say why", answered(403, "", ""), forbidden},
		{"a clock that was off", passing{answered(403, "InvalidSignatureException", "Signature expired")}, again},
		{"retention in the middle of a range", passing{answered(400, "InvalidArgumentException",
			"outside of the stream retention period")}, again},
		{"an internal failure", answered(500, "InternalFailure", ""), again},
		{"unavailable", answered(503, "", ""), again},
		{"a cut body", fmt.Errorf("deserialization failed: %w", io.ErrUnexpectedEOF), again},
		{"a connection that ended", errors.New("connection reset by peer"), again},
		{"a time limit", context.DeadlineExceeded, again},
		{"no more open files", &url.Error{Op: "Post", Err: os.NewSyscallError("socket", syscall.EMFILE)}, helpless},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := judge(c.err); got != c.want {
				t.Errorf("verdict %d, want %d", got, c.want)
			}
		})
	}
}

func TestAttempts(t *testing.T) {
	passing, slow, bad := answered(500, "InternalFailure", ""), answered(400, "ClientLimitExceededException", ""),
		answered(400, "InvalidArgumentException", "")
	repeat := func(err error, n int) []error {
		errs := make([]error, n)
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	for _, c := range []struct {
		name   string
		errs   []error
		calls  int
		failed bool
	}{
		{"at once", nil, 1, false},
		{"passing failures", repeat(passing, 9), 10, false},
		{"too many of them", repeat(passing, 20), 10, true},
		{"throttles do not count as failures", repeat(slow, 100), 101, false},
		{"but not for ever", repeat(slow, 100_000), 0, true},
		{"a wrong request", repeat(bad, 1), 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls, began := 0, time.Now()
				err := patientAttempts.do(t.Context(), func() error {
					if calls++; calls <= len(c.errs) {
						return c.errs[calls-1]
					}
					return nil
				}, func(verdict, error) error { return nil })
				if (err != nil) != c.failed || c.calls > 0 && calls != c.calls {
					t.Errorf("%d calls, %v", calls, err)
				}
				if d := time.Since(began); d > patientAttempts.patience+time.Minute {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

func TestAttemptsEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		err := patientAttempts.do(ctx, func() error { return answered(503, "", "") },
			func(verdict, error) error { return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// What people and receipts see differs from run to run in nothing.
func TestPlain(t *testing.T) {
	for want, err := range map[string]error{
		"ResourceNotFoundException: no such stream": answered(404, "ResourceNotFoundException", "no such stream"),
		"HTTP 403: Forbidden":                       answered(403, "", ""),
		"connection reset by peer": &smithy.OperationError{
			ServiceID: "Kinesis Video Archived Media", OperationName: "GetImages",
			Err: &url.Error{Op: "Post", URL: "http://127.0.0.1/4f5e6d7c/getImages", Err: errors.New("connection reset by peer")},
		},
		"reading the answer: unexpected EOF": &smithy.DeserializationError{Err: io.ErrUnexpectedEOF},
		"something else":                     errors.New("something else"),
	} {
		got := plain(err)
		if got.Error() != want || !errors.Is(got, err) {
			t.Errorf("%q, want %q", got, want)
		}
		if strings.Contains(got.Error(), "4f5e6d7c") {
			t.Errorf("%q holds a request ID", got)
		}
	}
}

// silent is a body that brings a little and then nothing.
type silent struct {
	first io.Reader
	ended <-chan struct{}
}

func (s *silent) Read(p []byte) (int, error) {
	if n, err := s.first.Read(p); err == nil {
		return n, nil
	}
	<-s.ended
	return 0, context.Canceled
}

func (s *silent) Close() error { return nil }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestStalledBodyIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard := &stallGuard{patience: stallPatience, next: roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{Body: &silent{strings.NewReader("half"), r.Context().Done()}}, nil
		})}
		request, _ := http.NewRequestWithContext(t.Context(), "POST", "http://127.0.0.1", nil)
		response, err := guard.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		got, err := io.ReadAll(response.Body)
		if string(got) != "half" || !errors.Is(err, errStalled) {
			t.Errorf("%q, %v", got, err)
		}
		if d := time.Since(began); d != stallPatience {
			t.Errorf("given up after %v", d)
		}
		response.Body.Close()
	})
}
