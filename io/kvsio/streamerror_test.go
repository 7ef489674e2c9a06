package kvsio

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// TestFailureOf: what an error depends on, also where it was wrapped and made plain.
func TestFailureOf(t *testing.T) {
	api := func(status int, code string) error {
		response := &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}}
		return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
			Response: response, Err: &smithy.GenericAPIError{Code: code, Message: "no"},
		}}
	}
	key := grid.StreamKey{Name: "cam"}
	for _, test := range []struct {
		name string
		err  error
		want Failure
	}{
		{"keys", api(403, "UnrecognizedClientException"), NoCredentials},
		{"an old token", api(403, "ExpiredTokenException"), NoCredentials},
		{"a role", &roleError{"arn", errors.New("no route")}, NoCredentials},
		{"a role's policy", &roleError{"arn", api(403, "AccessDenied")}, NotAllowed},
		{"a policy", api(403, "AccessDeniedException"), NotAllowed},
		{"throttles", fmt.Errorf("throttled for 10s: %w", api(400, "ClientLimitExceededException")), Throttled},
		{"no stream", api(404, "ResourceNotFoundException"), StreamGone},
		{"no retention", api(400, "NoDataRetentionException"), StreamGone},
		{"an outage", fmt.Errorf("after 3 attempts: %w", api(503, "ServiceUnavailable")), Unreachable},
		{"no network", &net.OpError{Op: "dial", Err: errors.New("refused")}, Unreachable},
		{"a wrong call", api(400, "InvalidArgumentException"), WrongCall},
	} {
		err := streamError("describing", key, test.err)
		got, ok := FailureOf(fmt.Errorf("the preflight: %w", err))
		failed, _ := errors.AsType[*StreamError](err)
		if arn, name := failed.Key(); got != test.want || !ok || failed.Stream != "cam" || arn != "" || name != "cam" {
			t.Errorf("%s: %s, want %s; %v", test.name, got, test.want, err)
		}
	}
	if got, ok := FailureOf(errors.New("StartTimestamp is not set")); ok {
		t.Errorf("a mistake is %s", got)
	}
}
