package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"

	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/internal/outside"
)

// StoreError says that a store in a bucket does not do what it is asked for:
// nothing is known of the file. It satisfies [fs.ErrPermission] where the store
// does not allow it, and ErrNoBucket.
type StoreError struct {
	Op  string // opening, reading, writing, listing or removing
	URL string // of the object, without what follows its ?
	Err error
}

func (e *StoreError) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.URL, e.Err) }

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// fault is an error of a driver in our words: one that satisfies fs.ErrNotExist,
// the one of ctx, or a *StoreError.
func (b *Bucket) fault(ctx context.Context, op, path string, err error) error {
	var typed *StoreError
	if err == nil || errors.As(err, &typed) {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	status, code := answerOf(err)
	var redirect *httpguard.RedirectError
	switch {
	case errors.As(err, &redirect) && redirect.Header.Get(regionHeader) != "":
		err = fmt.Errorf("the bucket is in another region than the one that is asked for%s: %w", regionIn(redirect.Header), redirect)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		err = fmt.Errorf("%w: %s: look at the credentials and at what they may do", fs.ErrPermission, reasonOf(err, code))
	case code == "NoSuchBucket" || gcerrors.Code(err) == gcerrors.NotFound && op == "listing":
		err = fmt.Errorf("%w %q: make it first, or choose another one", ErrNoBucket, b.place.bucket)
	case status == http.StatusMovedPermanently || status == http.StatusBadRequest && code == "AuthorizationHeaderMalformed":
		err = fmt.Errorf("the bucket is in another region than the one that is asked for%s: %w", regionOf(err), err)
	case gcerrors.Code(err) == gcerrors.NotFound:
		return &fs.PathError{Op: op, Path: b.url(path), Err: fs.ErrNotExist}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("the store did not answer within %v: %w", requestTimeout, err)
	}
	return &StoreError{Op: op, URL: b.url(path), Err: outside.Error(err)}
}

// ErrNoBucket is the error of a bucket that does not exist.
var ErrNoBucket = errors.New("there is no bucket")

// regionOf is the region that S3 says a bucket is in.
func regionOf(err error) string {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && answer.Response != nil {
		return regionIn(answer.Response.Header)
	}
	return regionIn(nil)
}

const regionHeader = "X-Amz-Bucket-Region"

var regionPattern = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

func regionIn(header http.Header) string {
	region := header.Get(regionHeader)
	if !regionPattern.MatchString(region) {
		return ", put its region=REGION into the URL"
	}
	return ", put region=" + region + " into the URL"
}

// answerOf returns the HTTP status, and the service's code, of the answer that an
// error is about: 0 and "" where there is none.
func answerOf(err error) (status int, code string) {
	var aws *awshttp.ResponseError
	var api smithy.APIError
	var google *googleapi.Error
	switch {
	case errors.As(err, &google):
		return google.Code, ""
	case errors.As(err, &aws):
		status = aws.HTTPStatusCode()
	}
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	return status, code
}

// reasonOf is why a store refuses, in its own words and few of them.
func reasonOf(err error, code string) string {
	var google *googleapi.Error
	if errors.As(err, &google) && google.Message != "" {
		return google.Message
	}
	if code != "" {
		return code
	}
	return "the store refuses it"
}

// isTaken: a conditional write found an object.
func isTaken(err error) bool {
	status, code := answerOf(err)
	return err != nil && (status == http.StatusPreconditionFailed || code == "PreconditionFailed" || gcerrors.Code(err) == gcerrors.FailedPrecondition)
}

// isConflict: two conditional writes met, and neither may have been first.
func isConflict(err error) bool {
	_, code := answerOf(err)
	return code == "ConditionalRequestConflict"
}

// isUnconditional: the store knows no conditional writes.
func isUnconditional(err error) bool {
	status, code := answerOf(err)
	return status == http.StatusNotImplemented || code == "NotImplemented"
}
