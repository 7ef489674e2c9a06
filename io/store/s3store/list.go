package s3store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kvsframes/kvsframes/internal/awsbase"
)

// errNoList is the error of a list that no S3 store makes.
var errNoList = errors.New("no S3 store answers so: look at the endpoint")

// trueLists refuses a list that is not the bucket's, or has no end: what answers in
// the store's place would pass for an empty one. What is no list may pass, so it is asked
// for again; a list without end does not.
func trueLists(stack *middleware.Stack) error {
	ends := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		middleware.InitializeOutput, middleware.Metadata, error,
	) {
		asked, ok := in.Parameters.(*s3.ListObjectsV2Input)
		if !ok {
			return next.HandleInitialize(ctx, in)
		}
		bucket := aws.ToString(asked.Bucket)
		out, metadata, err := next.HandleInitialize(middleware.WithStackValue(ctx, bucketKey{}, bucket), in)
		list, ok := out.Result.(*s3.ListObjectsV2Output)
		if err != nil || !ok || !pagesOf(ctx).repeat(aws.ToString(list.NextContinuationToken)) {
			return out, metadata, err
		}
		return middleware.InitializeOutput{}, metadata, noList(metadata, bucket, "one that goes on where it was before")
	}
	// Behind the SDK's attempts, of which there is one more for each of these errors.
	is := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
		middleware.FinalizeOutput, middleware.Metadata, error,
	) {
		out, metadata, err := next.HandleFinalize(ctx, in)
		list, ok := out.Result.(*s3.ListObjectsV2Output)
		if err != nil || !ok {
			return out, metadata, err
		}
		bucket, _ := middleware.GetStackValue(ctx, bucketKey{}).(string)
		if problem := problemOf(list, bucket); problem != "" {
			return middleware.FinalizeOutput{}, metadata, awsbase.Passing(noList(metadata, bucket, problem))
		}
		return out, metadata, nil
	}
	return errors.Join(
		stack.Initialize.Add(middleware.InitializeMiddlewareFunc("s3store.ListEnds", ends), middleware.Before),
		stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("s3store.IsList", is), middleware.After),
	)
}

// bucketKey is where the bucket that is listed stands in a context.
type bucketKey struct{}

func noList(metadata middleware.Metadata, bucket, problem string) error {
	return fmt.Errorf("%s answers a list of the bucket %q with %s: %w", hostOf(metadata), bucket, problem, errNoList)
}

// problemOf says what an answer is, in place of a list of a bucket. Every store tells the
// bucket's name, or at least how many keys there are or may be.
func problemOf(list *s3.ListObjectsV2Output, bucket string) string {
	switch name := aws.ToString(list.Name); {
	case name == "" && list.KeyCount == nil && list.MaxKeys == nil:
		return "what is no list"
	case name != "" && name != bucket && !isAlias(bucket):
		return fmt.Sprintf("a list of the bucket %.100q", name)
	case aws.ToBool(list.IsTruncated) && aws.ToString(list.NextContinuationToken) == "":
		return "a part of one that does not say where it goes on"
	}
	for _, object := range list.Contents { // the driver panics without a LastModified
		if object.Key == nil || object.LastModified == nil {
			return "an object without its Key or LastModified"
		}
	}
	return ""
}

// isAlias reports whether a name is S3's for an access point, in a bucket's place.
func isAlias(bucket string) bool {
	return strings.HasPrefix(bucket, "arn:") || strings.HasSuffix(bucket, "-s3alias") || strings.Contains(bucket, "--") ||
		strings.HasSuffix(bucket, ".mrap")
}

// pages are those of one list. They keep one token, and a later one after twice as many
// pages: so a circle of any length is found, and nothing grows.
type pages struct {
	seen int
	kept string
}

type pagesKey struct{}

// withPages returns a context for all pages of one list.
func withPages(ctx context.Context) context.Context {
	return context.WithValue(ctx, pagesKey{}, new(pages))
}

func pagesOf(ctx context.Context) *pages {
	if p, ok := ctx.Value(pagesKey{}).(*pages); ok {
		return p
	}
	return new(pages)
}

// repeat reports whether a page goes on where one did before it.
func (p *pages) repeat(token string) bool {
	if token == "" {
		return false
	}
	if token == p.kept {
		return true
	}
	if p.seen++; p.seen&(p.seen-1) == 0 {
		p.kept = token
	}
	return false
}

// between makes a list begin shortly before the key first. S3 cannot be told where a list
// is to end.
func between(first, _ string) func(as func(any) bool) error {
	return func(as func(any) bool) error {
		var input *s3.ListObjectsV2Input
		if as(&input) && isAsIs(first) {
			input.StartAfter = new(before(first))
		}
		return nil
	}
}

// before returns a key before the given one with few keys in between: S3 lists what comes
// after a key, and not that key itself.
func before(key string) string {
	last, size := utf8.DecodeLastRuneInString(key)
	key = key[:len(key)-size]
	if last > '!' && last <= '~' {
		return key + string(last-1) + "~"
	}
	return key
}

// hostOf names who answered.
func hostOf(metadata middleware.Metadata) string {
	answer, ok := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response)
	if !ok || answer.Response == nil || answer.Request == nil {
		return "the endpoint"
	}
	return answer.Request.URL.Host
}
