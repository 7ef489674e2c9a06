package kvsio

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/internal/keys"
	"github.com/kvsframes/kvsframes/internal/outside"
)

// verdict is what follows from the error of a call.
type verdict int

const (
	again          verdict = iota // passing: make the call again
	throttled                     // too fast: make it again, slower
	forbidden                     // not allowed, or the data endpoint's token has expired
	gone                          // the stream cannot work at all
	outOfRetention                // the range is out of retention
	vacant                        // nothing lies in the range
	wrong                         // the request is: do not make it again
	helpless                      // this process cannot make calls
)

// judge decides on the status first: a 403 may come without a body to name it.
func judge(err error) verdict {
	if _, ok := errors.AsType[passing](err); ok {
		return again
	}
	if _, ok := errors.AsType[earlyRange](err); ok {
		return outOfRetention
	}
	if _, ok := errors.AsType[vacantRange](err); ok {
		return vacant
	}
	var apiErr smithy.APIError
	code, message := "", ""
	if errors.As(err, &apiErr) {
		code, message = apiErr.ErrorCode(), apiErr.ErrorMessage()
	}
	switch code {
	// ClientLimitExceededException is a 400 and in no list of the SDK's.
	case "ClientLimitExceededException", "ClientLimitExceeded", "ThrottlingException", "Throttling",
		"TooManyRequestsException", "RequestLimitExceeded", "SlowDown":
		return throttled
	case "ResourceNotFoundException", "NoDataRetentionException":
		return gone
	}
	if _, ok := errors.AsType[*httpguard.RedirectError](err); ok {
		return wrong
	}
	if httpguard.OutOfFiles(err) {
		return helpless
	}
	var skewed interface{ RetryableError() bool }
	if errors.As(err, &skewed) && skewed.RetryableError() {
		return again
	}
	switch status := statusOf(err); {
	case status == http.StatusTooManyRequests:
		return throttled
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return forbidden
	case status == http.StatusRequestTimeout:
		return again
	case status >= 400 && status < 500 && strings.Contains(message, "retention"):
		return outOfRetention
	case status >= 400 && status < 500 && code != "" && code != "UnknownError":
		return wrong // else it is not the service that answers
	default: // 5xx, no answer, half an answer, an unreadable answer
		return again
	}
}

// passing is an error that another attempt may mend, whatever its status says.
type passing struct{ error }

func (passing) RetryableError() bool { return true }

func (e passing) Unwrap() error { return e.error }

func statusOf(err error) int {
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok && response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

// attempts says how often and how patiently a call is made.
type attempts struct {
	most     int           // calls that may fail in passing
	patience time.Duration // how long throttles alone may go on
	base     time.Duration // the first wait is between 0 and this
	paced    bool          // throttles are not waited for here: a pace does it
}

var (
	// patientAttempts bridge an outage of half a minute or so.
	patientAttempts = attempts{most: 10, patience: 15 * time.Minute, base: 100 * time.Millisecond}
	// pacedAttempts are those of GetImages: each waits for its turn.
	pacedAttempts = attempts{most: 10, base: 100 * time.Millisecond, paced: true}
	// readyAttempts get through faults, and let someone know in seconds who has
	// named the wrong endpoint.
	readyAttempts = attempts{most: 6, patience: 15 * time.Second, base: 100 * time.Millisecond}
	// quickAttempts are for someone who waits at a terminal.
	quickAttempts = attempts{most: 3, patience: 10 * time.Second, base: 100 * time.Millisecond}
)

const (
	longestWait     = 20 * time.Second
	longestThrottle = 4 // doublings
)

// do makes a call until it succeeds, fails for good or has failed too often.
// handle sees each verdict first; what it returns, other than nil, ends it.
func (a attempts) do(ctx context.Context, call func() error, handle func(verdict, error) error) error {
	began := time.Now()
	failures, waits := 0, 0
	for {
		err := call()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		v := judge(err)
		if ended := handle(v, err); ended != nil {
			return ended
		}
		switch v {
		case throttled:
			if a.paced {
				continue
			}
			if time.Since(began) > a.patience {
				return fmt.Errorf("throttled for %v: %w", a.patience, plain(err))
			}
			waits = min(waits, longestThrottle)
		case again, forbidden:
			failures++
			if failures >= a.most {
				return fmt.Errorf("after %d attempts: %w", failures, plain(err))
			}
		default:
			return err
		}
		if err := backOff(ctx, a.base, waits); err != nil {
			return err
		}
		waits++
	}
}

// backOff waits with full jitter, so that callers that failed together do not
// call together.
func backOff(ctx context.Context, base time.Duration, n int) error {
	return sleep(ctx, rand.N(min(base<<min(n, 20), longestWait)))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// plain is an error without what the SDK wraps around it: request IDs differ
// from run to run and help no one, and URLs may hold a data endpoint's token. The
// words are the service's, or a proxy's: they are shown as outside has them.
func plain(err error) error {
	var known *plainError
	if errors.As(err, &known) {
		return err
	}
	if failed, ok := errors.AsType[*roleError](err); ok {
		return &plainError{text: failed.Error(), err: err}
	}
	if failed, ok := errors.AsType[*keys.Error](err); ok {
		return &plainError{text: keys.Lacking(failed, "").Error(), err: err}
	}
	if long, ok := errors.AsType[*httpguard.LongBodyError](err); ok {
		return &plainError{text: long.Error(), err: err}
	}
	var apiErr smithy.APIError
	if errors.As(err, &apiErr) && apiErr.ErrorCode() != "UnknownError" {
		text := strings.TrimSuffix(apiErr.ErrorCode()+": "+apiErr.ErrorMessage(), ": ")
		return &plainError{text: outside.Text(text), err: err}
	}
	if status := statusOf(err); status >= 400 {
		return &plainError{text: fmt.Sprintf("HTTP %d: %s", status, http.StatusText(status)), err: err}
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return &plainError{text: outside.Text(failed.Err.Error()), err: err}
	}
	if cut, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return &plainError{text: outside.Text("reading the answer: " + cut.Err.Error()), err: err}
	}
	return outside.Error(err)
}

type plainError struct {
	text string
	err  error
}

func (e *plainError) Error() string { return e.text }

func (e *plainError) Unwrap() error { return e.err }
