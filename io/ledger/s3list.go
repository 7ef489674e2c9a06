package ledger

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
)

// errPartEntry is the error of a list that no S3 store makes.
var errPartEntry = errors.New("the store lists an object without its Key or LastModified, as no S3 store does: look at the endpoint")

// wholeEntries refuses a list with an entry that lacks what the driver takes for
// granted: it panics without a LastModified.
func wholeEntries(stack *middleware.Stack) error {
	check := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		if list, ok := out.Result.(*s3.ListObjectsV2Output); ok && err == nil {
			for _, object := range list.Contents {
				if object.Key == nil || object.LastModified == nil {
					return middleware.InitializeOutput{}, metadata, errPartEntry
				}
			}
		}
		return out, metadata, err
	}
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ledger.WholeEntries", check), middleware.Before)
}
