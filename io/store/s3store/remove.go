package s3store

import (
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// remover removes many objects of a bucket in one request.
type remover struct {
	client *s3.Client
	bucket string
}

// removeAll returns the keys that the answer does not say to be removed: an answer of
// another server says nothing of them, and may have status 200, too.
func (r remover) removeAll(ctx context.Context, keys []string) (left []string, err error) {
	var objects []types.ObjectIdentifier
	for _, key := range keys {
		if isAsIs(key) {
			objects = append(objects, types.ObjectIdentifier{Key: &key})
		}
	}
	answer, err := r.client.DeleteObjects(ctx,
		&s3.DeleteObjectsInput{Bucket: &r.bucket, Delete: &types.Delete{Objects: objects}}, sumForAll)
	if isRefused(answerOf(err).Status) {
		return slices.Clone(keys), nil
	}
	if err != nil {
		return nil, err
	}
	removed := make(map[string]bool)
	for _, object := range answer.Deleted {
		removed[aws.ToString(object.Key)] = true
	}
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return removed[key] }), nil
}

// isRefused reports whether a service refuses a request for good, which a request for a
// single object may not be.
func isRefused(status int) bool {
	return status == http.StatusNotImplemented || status >= 400 && status < 500
}

// sumForAll adds the checksum that all stores know. This request needs one, and the SDK
// has only those that Amazon's know.
func sumForAll(o *s3.Options) {
	if o.BaseEndpoint != nil {
		o.APIOptions = append(slices.Clone(o.APIOptions), smithyhttp.AddContentChecksumMiddleware)
	}
}
