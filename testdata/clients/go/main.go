// Command go makes calls with the AWS SDK for Go, as it comes. A call is a
// line of JSON on stdin, its result a line on stdout.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	archived "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/smithy-go"
)

type call struct {
	Operation string          `json:"operation"`
	Input     json.RawMessage `json:"input"`
	Endpoint  *string         `json:"endpoint"`
	Pages     int             `json:"pages"`
}

type result struct {
	Pages []any    `json:"pages"`
	Error *failure `json:"error,omitempty"`
}

type failure struct {
	Type      string `json:"type"`
	Code      string `json:"code"`
	Status    int    `json:"status"`
	RequestID string `json:"requestId"`
}

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	lines, results := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			log.Fatal(err)
		}
		var r result
		r.Pages, err = c.do(ctx, cfg)
		r.Error = describe(err)
		if err := results.Encode(r); err != nil {
			log.Fatal(err)
		}
	}
}

func (c call) do(ctx context.Context, cfg aws.Config) ([]any, error) {
	control := kinesisvideo.NewFromConfig(cfg)
	switch c.Operation {
	case "DescribeStream":
		return once(ctx, c, control.DescribeStream)
	case "GetDataEndpoint":
		return once(ctx, c, control.GetDataEndpoint)
	case "ListStreams":
		if c.Pages == 0 {
			return once(ctx, c, control.ListStreams)
		}
		return paged(ctx, c, kinesisvideo.NewListStreamsPaginator(control, input[kinesisvideo.ListStreamsInput](c)))
	case "GetImages":
		media := archived.NewFromConfig(cfg, func(o *archived.Options) { o.BaseEndpoint = c.Endpoint })
		if c.Pages == 0 {
			return once(ctx, c, media.GetImages)
		}
		return paged(ctx, c, archived.NewGetImagesPaginator(media, input[archived.GetImagesInput](c)))
	}
	log.Fatalf("unknown operation %s", c.Operation)
	return nil, nil
}

func input[I any](c call) *I {
	in := new(I)
	if err := json.Unmarshal(c.Input, in); err != nil {
		log.Fatal(err)
	}
	return in
}

func once[I, O, F any](
	ctx context.Context, c call, method func(context.Context, *I, ...func(*F)) (*O, error),
) ([]any, error) {
	page, err := method(ctx, input[I](c))
	if err != nil {
		return nil, err
	}
	return []any{page}, nil
}

type paginator[O, F any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*F)) (*O, error)
}

func paged[O, F any](ctx context.Context, c call, p paginator[O, F]) (pages []any, err error) {
	for p.HasMorePages() && len(pages) < c.Pages {
		page, err := p.NextPage(ctx)
		if err != nil {
			return pages, err
		}
		pages = append(pages, page)
	}
	return pages, nil
}

// describe returns what the SDK says of a refusal.
func describe(err error) *failure {
	var api smithy.APIError
	var answer *awshttp.ResponseError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &api) || !errors.As(err, &answer):
		log.Fatal(err)
	}
	return &failure{
		Type: reflect.TypeOf(api).Elem().Name(), Code: api.ErrorCode(),
		Status: answer.HTTPStatusCode(), RequestID: answer.ServiceRequestID(),
	}
}
