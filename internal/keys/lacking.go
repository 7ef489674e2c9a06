package keys

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/internal/outside"
)

// Lacking is the error of credentials that are not there. none is what to do where no
// source of them is configured, and may be "": it misleads whoever has one that
// answers with an error.
func Lacking(err error, none any) error {
	if failed, ok := errors.AsType[*Error](err); ok && failed.configured {
		return fmt.Errorf("the AWS credentials could not be retrieved: %w", outside.Error(failed))
	}
	if none == "" {
		return fmt.Errorf("no AWS credentials: %w", outside.Error(err))
	}
	return fault.Errorf("no AWS credentials: %v%s: %w", none, keyless(), outside.Error(err))
}

// keyless names the shared files that are there, but from which no keys came: to the SDK a file
// that it cannot make sense of is an empty one.
func keyless() string {
	var there []string
	for _, file := range sharedFiles() {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			there = append(there, outside.Text(file))
		}
	}
	if there == nil {
		return ""
	}
	return fmt.Sprintf(" (no keys for the profile in use are in %s)", strings.Join(there, " or "))
}

// answered reports whether an error is what a source of credentials answers, and what to
// do about it, which may be empty.
func answered(err error) (advice string, ok bool) {
	const later = "it may pass: try again later"
	if half := (*smithy.DeserializationError)(nil); errors.As(err, &half) {
		return later, true
	}
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &response) {
		return "", false
	}
	status, code := response.HTTPStatusCode(), ""
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		code = refused.ErrorCode()
	}
	of, _ := errors.AsType[*smithy.OperationError](err)
	switch {
	case status == 0, status == http.StatusNotFound && of != nil && of.ServiceID == "ec2imds": // a machine without a role
		return "", false
	case strings.HasPrefix(code, "AccessDenied"):
		return "look at the role's trust policy, and at what may assume it", true
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError,
		strings.Contains(code, "Throttl"), code == "RequestLimitExceeded", code == "TooManyRequestsException":
		return later, true
	}
	return "", true
}
