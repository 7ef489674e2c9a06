package kvsio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/transforms/stats"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

func init() {
	register.Function1x1(streamOf)
	register.Function2x0(printCount)
	register.Function1x1(tagOf)
	register.Function1x0(printFailure)
}

func streamOf(f frame.Frame) string { return f.Stream }

func printCount(stream string, n int) { fmt.Println(stream, n) }

func tagOf(f frame.Frame) string { return f.Tag }

func printFailure(f kvsio.FailedRequest) {
	fmt.Printf("%s of %s: %d samples were not read\n", f.Request.Tag, f.Request.StreamName, f.Request.Span().Samples)
}

// Five minutes of a camera, a frame every three seconds.
func ExampleRead() {
	// In place of AWS: a stand-in with a camera that misses a minute.
	start := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name: "front-door",
		Media: []kvstest.Range{
			{From: start, To: start.Add(2 * time.Minute)},
			{From: start.Add(3 * time.Minute), To: start.Add(time.Hour)},
		},
	}}})
	defer server.Close()
	os.Setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", server.URL)
	defer os.Unsetenv("AWS_ENDPOINT_URL_KINESIS_VIDEO")

	request := kvsio.Request{
		StreamName:        "front-door",
		ImageSelectorType: kvsio.ProducerTimestamp,
		StartTimestamp:    start,
		EndTimestamp:      start.Add(5 * time.Minute),
		SamplingInterval:  3 * time.Second,
		Format:            frame.JPEG,
		WidthPixels:       320,
		HeightPixels:      180,
	}
	if err := request.Validate(); err != nil {
		log.Fatal(err)
	}
	p, s := beam.NewPipelineWithRoot()
	frames, _ := kvsio.Read(s, kvsio.ReadParams{}, request)
	beam.ParDo0(s, printCount, stats.Count(s, beam.ParDo(s, streamOf, frames)))
	if _, err := beam.Run(context.Background(), "direct", p); err != nil {
		log.Fatal(err)
	}
	// Output: front-door 80
}

// Pictures of alarms, and what came of each of them: the alarm's name comes back.
func ExampleReadAll() {
	start := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name: "front-door", Media: []kvstest.Range{{From: start, To: start.Add(time.Hour)}},
	}}})
	defer server.Close()
	os.Setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", server.URL)
	defer os.Unsetenv("AWS_ENDPOINT_URL_KINESIS_VIDEO")

	alarm := func(name, stream string, at time.Time) kvsio.Request {
		return kvsio.Request{
			StreamName:        stream,
			ImageSelectorType: kvsio.ProducerTimestamp,
			StartTimestamp:    at.Add(-30 * time.Second),
			EndTimestamp:      at.Add(30 * time.Second),
			SamplingInterval:  3 * time.Second,
			Format:            frame.JPEG,
			Tag:               name,
		}
	}
	p, s := beam.NewPipelineWithRoot()
	requests := beam.Create(s,
		alarm("A-1", "front-door", start.Add(10*time.Minute)),
		alarm("A-2", "front-door", start.Add(10*time.Minute+15*time.Second)), // half of it is A-1's, too
		alarm("A-3", "cellar", start.Add(20*time.Minute)),
	)
	frames, _, failures := kvsio.ReadAll(s, kvsio.ReadParams{KeepGoing: true}, requests)
	beam.ParDo0(s, printCount, stats.Count(s, beam.ParDo(s, tagOf, frames)))
	beam.ParDo0(s, printFailure, failures)
	if _, err := beam.Run(context.Background(), "direct", p); err != nil {
		log.Fatal(err)
	}
	// Unordered output:
	// A-1 20
	// A-2 20
	// A-3 of cellar: 20 samples were not read
}

// Eight images, then the rest, as boto3 or the AWS CLI would go on, too.
func ExampleNewPaginator() {
	start := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name:  "front-door",
		Media: []kvstest.Range{{From: start, To: start.Add(time.Minute)}},
	}}})
	defer server.Close()
	ctx := context.Background()
	params := kvsio.PaginatorParams{AWS: kvsio.AWSParams{EndpointURL: server.URL}} // AWS needs none

	input := &kinesisvideoarchivedmedia.GetImagesInput{
		StreamName:        aws.String("front-door"),
		ImageSelectorType: types.ImageSelectorTypeProducerTimestamp,
		StartTimestamp:    aws.Time(start),
		EndTimestamp:      aws.Time(start.Add(72 * time.Second)),
		SamplingInterval:  aws.Int32(6000), // milliseconds
		Format:            types.FormatJpeg,
	}
	first, err := kvsio.NewPaginator(ctx, params, input, kvsio.PaginationConfig{MaxItems: new(8), PageSize: new(5)})
	if err != nil {
		log.Fatal(err)
	}
	for page, err := range first.Pages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("a page of", len(page.Images))
	}

	rest, err := kvsio.NewPaginator(ctx, params, input,
		kvsio.PaginationConfig{PageSize: new(5), StartingToken: first.ResumeToken()})
	if err != nil {
		log.Fatal(err)
	}
	for image, err := range rest.Images(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(image.TimeStamp.Format(time.TimeOnly), image.Error, len(image.Content) > 0)
	}
	// Output:
	// a page of 5
	// a page of 3
	// 08:00:48  true
	// 08:00:54  true
	// 08:01:00 NO_MEDIA false
	// 08:01:06 NO_MEDIA false
	// 08:01:12 NO_MEDIA false
}

// Keyword arguments of boto3's paginator, as a program in Python wrote them down.
func ExampleRequest_UnmarshalJSON() {
	arguments := `{
		"StreamName": "front-door", "ImageSelectorType": "PRODUCER_TIMESTAMP", "Format": "JPEG",
		"StartTimestamp": 1769853600.123, "EndTimestamp": "Sat, 31 Jan 2026 12:00:00 GMT", "SamplingInterval": 3000
	}`
	var request kvsio.Request
	if err := json.Unmarshal([]byte(arguments), &request); err != nil {
		log.Fatal(err)
	}
	fmt.Println(request.StartTimestamp, request.SamplingInterval)
	// Output: 2026-01-31 10:00:00.123 +0000 UTC 3s
}

func ExampleParseTime() {
	for _, text := range []string{"2026-01-31 12:00+02:00", "20260131T100000Z", "1.7698536e9", "20260131"} {
		fmt.Println(kvsio.ParseTime(text))
	}
	// Output:
	// 2026-01-31 10:00:00 +0000 UTC <nil>
	// 2026-01-31 10:00:00 +0000 UTC <nil>
	// 2026-01-31 10:00:00 +0000 UTC <nil>
	// 0001-01-01 00:00:00 +0000 UTC it would be epoch seconds: for the date write 2026-01-31, for the second 20260131.0
}
