package kvsio

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"github.com/kvsframes/kvsframes/internal/keys"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// Failure is what the error of a call depends on, in a word.
type Failure string

// A call fails for one of these reasons.
const (
	NoCredentials Failure = "credentials" // there are none, or the service does not take them
	NotAllowed    Failure = "permission"  // the credentials may not do that
	Unreachable   Failure = "unreachable" // no answer, or none that makes sense, time and again
	Throttled     Failure = "throttled"   // nothing but throttles, for as long as allowed
	StreamGone    Failure = "stream_gone" // there is no such stream, or it keeps no data
	WrongCall     Failure = "wrong_call"  // the service, or this process, cannot do that
)

// StreamError is why a stream cannot be read. What the error of [Check] joins unwraps to one for
// each stream; the errors of Beam jobs are texts.
type StreamError struct {
	Stream  string // its name
	Failure Failure
	key     grid.StreamKey
	err     error
}

// Key returns what requests of the stream have as their StreamARN and StreamName where they are
// given to [Check].
func (e *StreamError) Key() (arn, name string) { return e.key.ARN, e.key.Name }

func (e *StreamError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *StreamError) Unwrap() error { return e.err }

// streamError says which stream an error is of, and what was done with it.
func streamError(doing string, key grid.StreamKey, err error) error {
	return &StreamError{key.String(), failureOf(err), key, fmt.Errorf("%s %s: %w", doing, key, plain(err))}
}

// FailureOf returns what an error of this package depends on, and false for one that comes of
// no call: a mistake, mostly.
func FailureOf(err error) (f Failure, ok bool) {
	if known, ok := errors.AsType[*StreamError](err); ok {
		return known.Failure, true
	}
	if keys.IsMistake(err) {
		return "", false
	}
	_, keyless := errors.AsType[*keys.Error](err)
	_, roleless := errors.AsType[*roleError](err)
	_, called := errors.AsType[*plainError](err)
	if !keyless && !roleless && !called {
		return "", false
	}
	return failureOf(err), true
}

// failureOf returns what the error of a call depends on.
func failureOf(err error) Failure {
	if known, ok := errors.AsType[*StreamError](err); ok {
		return known.Failure
	}
	code := ""
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code = api.ErrorCode()
	}
	_, keyless := errors.AsType[*keys.Error](err)
	_, roleless := errors.AsType[*roleError](err)
	switch {
	case keyless && keys.IsMistake(err):
		return WrongCall
	case (keyless || roleless) && code == "AccessDenied":
		return NotAllowed
	case keyless, roleless, keys.IsRefusalCode(code):
		return NoCredentials
	}
	switch judge(err) {
	case throttled:
		return Throttled
	case forbidden:
		return NotAllowed
	case gone:
		return StreamGone
	case again:
		return Unreachable
	}
	return WrongCall
}
