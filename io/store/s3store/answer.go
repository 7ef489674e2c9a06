package s3store

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/io/store/internal/bucket"
)

const regionHeader = "X-Amz-Bucket-Region"

var regionPattern = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// answerOf reads the HTTP status and S3's code out of an error, and whether the bucket is
// in another region.
func answerOf(err error) bucket.Answer {
	var answer bucket.Answer
	var header http.Header
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		answer.Status = response.HTTPStatusCode()
		if response.Response != nil {
			header = response.Response.Header
		}
	}
	if api := smithy.APIError(nil); errors.As(err, &api) {
		answer.Code = api.ErrorCode()
	}
	elsewhere := answer.Status == http.StatusMovedPermanently ||
		answer.Status == http.StatusBadRequest && answer.Code == "AuthorizationHeaderMalformed"
	if redirect := (*httpguard.RedirectError)(nil); errors.As(err, &redirect) && redirect.Header.Get(regionHeader) != "" {
		elsewhere, header, err = true, redirect.Header, redirect
	}
	if elsewhere {
		region := header.Get(regionHeader)
		say := "put region=" + region
		if !regionPattern.MatchString(region) {
			say = "put its region=REGION"
		}
		answer.Elsewhere = fmt.Errorf("the bucket is in another region than the one that is asked for, %s into the URL: %w",
			say, err)
	}
	return answer
}
