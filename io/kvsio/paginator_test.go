package kvsio_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	control "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// imagesInput asks for an image every three seconds.
func imagesInput(stream string, seconds int) *media.GetImagesInput {
	return &media.GetImagesInput{
		StreamName: aws.String(stream), ImageSelectorType: types.ImageSelectorTypeProducerTimestamp,
		StartTimestamp: aws.Time(newYear), EndTimestamp: aws.Time(newYear.Add(time.Duration(seconds) * time.Second)),
		SamplingInterval: aws.Int32(3000), Format: types.FormatJpeg, FormatConfig: map[string]string{"JPEGQuality": "30"},
		WidthPixels: aws.Int32(160), HeightPixels: aws.Int32(90),
	}
}

// halting is a stream with a stretch that it misses.
var halting = kvstest.Stream{Name: "cam", Quota: noQuota(), Media: []kvstest.Range{
	{From: newYear, To: newYear.Add(90 * time.Second)}, {From: newYear.Add(120 * time.Second), To: newYear.Add(time.Hour)},
}}

// stockImages are the images of a range as the SDK's own paginator has them.
func stockImages(t *testing.T, server *kvstest.Server, in *media.GetImagesInput) (images []kvsio.Image) {
	t.Helper()
	cfg := server.AWSConfig()
	endpoint, err := kinesisvideo.NewFromConfig(cfg).GetDataEndpoint(t.Context(), &kinesisvideo.GetDataEndpointInput{
		StreamName: in.StreamName, APIName: control.APINameGetImages,
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg.BaseEndpoint = endpoint.DataEndpoint
	pages := media.NewGetImagesPaginator(media.NewFromConfig(cfg), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range page.Images {
			content, err := base64.StdEncoding.DecodeString(aws.ToString(entry.ImageContent))
			if err != nil {
				t.Fatal(err)
			}
			images = append(images, kvsio.Image{TimeStamp: *entry.TimeStamp, Error: string(entry.Error), Content: content})
		}
	}
	return images
}

func sameImages(a, b []kvsio.Image) bool {
	return slices.EqualFunc(a, b, func(a, b kvsio.Image) bool {
		return a.TimeStamp.Equal(b.TimeStamp) && a.Error == b.Error && bytes.Equal(a.Content, b.Content)
	})
}

// readLeft reads what is left in one of the three ways.
func readLeft(ctx context.Context, pages *kvsio.Paginator, way string) (images []kvsio.Image, err error) {
	switch way {
	case "pages":
		for page, err := range pages.Pages(ctx) {
			if err != nil {
				return nil, err
			}
			images = append(images, page.Images...)
		}
	case "images":
		for image, err := range pages.Images(ctx) {
			if err != nil {
				return nil, err
			}
			images = append(images, image)
		}
	default:
		full, err := pages.BuildFullResult(ctx)
		if err != nil {
			return nil, err
		}
		if full.NextToken != pages.ResumeToken() {
			return nil, fmt.Errorf("the full result's NextToken is %q, the resume token %q", full.NextToken, pages.ResumeToken())
		}
		images = full.Images
	}
	return images, nil
}

// Whatever a chain of tokens cuts a range into: together it is the range.
func TestChainOfTokensIsTheWhole(t *testing.T) {
	t.Parallel()
	for _, pageSize := range []int{25, 7} {
		server := kvstest.NewServer(kvstest.Config{PageSize: pageSize, Streams: []kvstest.Stream{halting}})
		defer server.Close()
		whole := stockImages(t, server, imagesInput("cam", 177))
		if len(whole) != 60 || whole[35].Error != "NO_MEDIA" || len(whole[59].Content) == 0 {
			t.Fatalf("%d images", len(whole))
		}
		rapid.Check(t, func(rt *rapid.T) {
			n := rapid.IntRange(1, len(whole)).Draw(rt, "images")
			var config kvsio.PaginationConfig
			if rapid.Bool().Draw(rt, "sized") {
				config.PageSize = new(rapid.IntRange(1, 100).Draw(rt, "page size"))
			}
			var images []kvsio.Image
			for links := 0; links == 0 || config.StartingToken != ""; links++ {
				config.MaxItems = nil
				if links < 8 {
					config.MaxItems = new(rapid.IntRange(0, 30).Draw(rt, "max items"))
				}
				pages, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), imagesInput("cam", 3*(n-1)), config)
				if err != nil {
					rt.Fatal(err)
				}
				part, err := readLeft(t.Context(), pages, rapid.SampledFrom([]string{"pages", "images", "full"}).Draw(rt, "way"))
				if err != nil {
					rt.Fatal(err)
				}
				config.StartingToken = pages.ResumeToken()
				if most := config.MaxItems; most != nil && (len(part) > *most || len(part) < *most && config.StartingToken != "") {
					rt.Fatalf("%d images of at most %d, then %q", len(part), *most, config.StartingToken)
				}
				images = append(images, part...)
			}
			if !sameImages(images, whole[:n]) {
				rt.Fatalf("%d images, not the %d there are", len(images), n)
			}
		})
	}
}

// As with boto3, a token means another place when pages are of another size.
func TestSmallerPagesInAChainRepeatImages(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{halting}})
	defer server.Close()
	whole := stockImages(t, server, imagesInput("cam", 57))
	first, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), imagesInput("cam", 57),
		kvsio.PaginationConfig{MaxItems: new(8), PageSize: new(5)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.BuildFullResult(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), imagesInput("cam", 57),
		kvsio.PaginationConfig{PageSize: new(2), StartingToken: first.ResumeToken()})
	if err != nil {
		t.Fatal(err)
	}
	full, err := second.BuildFullResult(t.Context())
	if err != nil || !sameImages(full.Images, whole[7:]) {
		t.Errorf("%d images, %v", len(full.Images), err)
	}
}

func TestPaginatorGetsThroughFaults(t *testing.T) {
	config := kvstest.Config{PageSize: 3, Streams: []kvstest.Stream{halting}}
	good := kvstest.NewServer(config)
	defer good.Close()
	whole := stockImages(t, good, imagesInput("cam", 177))
	for _, kind := range []string{
		"throttle", "server_error", "reset", "truncated_body", "empty_page",
		"endpoint_expired",
	} {
		config.Faults = append(config.Faults, kvstest.Fault{Kind: kind, Rate: 0.05})
	}
	server := kvstest.NewServer(config)
	defer server.Close()
	pages, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), imagesInput("cam", 177),
		kvsio.PaginationConfig{PageSize: new(3)})
	if err != nil {
		t.Fatal(err)
	}
	full, err := pages.BuildFullResult(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !sameImages(full.Images, whole) {
		t.Errorf("%d images, not the %d there are", len(full.Images), len(whole))
	}
	if stats := server.Stats(); len(stats.Refused) == 0 {
		t.Error("no call was refused: the faults did not come")
	}
}

func TestDamagedContentIsAnErrorOfItsImage(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{
		Streams: []kvstest.Stream{halting}, Faults: []kvstest.Fault{{Kind: "bad_base64", Rate: 1}},
	})
	defer server.Close()
	pages, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), imagesInput("cam", 57),
		kvsio.PaginationConfig{})
	if err != nil {
		t.Fatal(err)
	}
	full, err := pages.BuildFullResult(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	damaged := 0
	for _, image := range full.Images {
		switch {
		case image.Error == frame.Corrupt && image.Content == nil:
			damaged++
		case image.Error != "" || len(image.Content) == 0:
			t.Errorf("%v: %q, %d bytes", image.TimeStamp, image.Error, len(image.Content))
		}
	}
	if len(full.Images) != 20 || damaged != 1 {
		t.Errorf("%d images, %d damaged", len(full.Images), damaged)
	}
}

func TestPaginatorRefusesWhatCannotBeRight(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{halting}})
	defer server.Close()
	ask := func(p kvsio.ReadParams, change func(*media.GetImagesInput), config kvsio.PaginationConfig) error {
		in := imagesInput("cam", 57)
		change(in)
		_, err := kvsio.NewPaginator(t.Context(), pagesOf(p), in, config)
		return err
	}
	same := func(*media.GetImagesInput) {}
	for _, c := range []struct {
		change func(*media.GetImagesInput)
		config kvsio.PaginationConfig
		want   string // the error's beginning
	}{
		{same, kvsio.PaginationConfig{MaxItems: new(-1)}, "PaginationConfig.MaxItems is -1: it must be at least 0"},
		{same, kvsio.PaginationConfig{PageSize: new(0)}, "PaginationConfig.PageSize is 0: it must be 1–100"},
		{same, kvsio.PaginationConfig{PageSize: new(101)}, "PaginationConfig.PageSize is 101: it must be 1–100"},
		{
			same,
			kvsio.PaginationConfig{StartingToken: "a b"},
			`PaginationConfig.StartingToken is "a b": it must be a resume token`,
		},
		{same, kvsio.PaginationConfig{StartingToken: strings.Repeat("A", 4097)}, "PaginationConfig.StartingToken is "},
		{
			func(in *media.GetImagesInput) { in.StreamName = nil },
			kvsio.PaginationConfig{},
			"StreamName is not set, and neither is StreamARN",
		},
		{
			func(in *media.GetImagesInput) { in.ImageSelectorType = "NOW" },
			kvsio.PaginationConfig{},
			`ImageSelectorType is "NOW": it must be PRODUCER_TIMESTAMP or`,
		},
		{func(in *media.GetImagesInput) { in.StartTimestamp = nil }, kvsio.PaginationConfig{}, "StartTimestamp is not set"},
		{func(in *media.GetImagesInput) { in.EndTimestamp = nil }, kvsio.PaginationConfig{}, "EndTimestamp is not set"},
		{
			func(in *media.GetImagesInput) { in.Format = "" },
			kvsio.PaginationConfig{},
			"Format is not set: it must be JPEG or PNG",
		},
		{
			func(in *media.GetImagesInput) { in.MaxResults = aws.Int64(5) },
			kvsio.PaginationConfig{},
			"MaxResults is 5: it must be left out: set PaginationConfig.PageSize",
		},
		{
			func(in *media.GetImagesInput) { in.NextToken = aws.String("AAAA") },
			kvsio.PaginationConfig{},
			"NextToken is \"AAAA\": it must be left out",
		},
		{func(in *media.GetImagesInput) { *in = media.GetImagesInput{} }, kvsio.PaginationConfig{}, "StreamName is not set"},
	} {
		err := ask(paramsOf(server), c.change, c.config)
		if faults, ok := errors.AsType[*kvsio.RequestError](err); !ok || !strings.HasPrefix(faults.Error(), c.want) {
			t.Errorf("%v; want %s", err, c.want)
		}
	}
	if _, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), nil, kvsio.PaginationConfig{}); err == nil {
		t.Error("no input is no error")
	}
	p := paramsOf(server)
	p.QuotaShare = 2
	if err := ask(p, same, kvsio.PaginationConfig{}); err == nil || !strings.HasPrefix(err.Error(), "QuotaShare is 2") {
		t.Error(err)
	}
	if stats := server.Stats(); stats.GetImagesCalls+stats.GetDataEndpointCalls > 0 {
		t.Errorf("calls were made: %+v", stats)
	}
}

// The service's errors come through, once.
func TestPaginatorErrors(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{halting}})
	defer server.Close()
	read := func(in *media.GetImagesInput, config kvsio.PaginationConfig) error {
		pages, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), in, config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = pages.BuildFullResult(t.Context())
		return err
	}
	t.Run("a range over 300 s", func(t *testing.T) {
		server.ResetStats()
		err := read(imagesInput("cam", 301), kvsio.PaginationConfig{})
		want := "getting page 1 of the images of cam from 2026-01-01T00:00:00Z: InvalidArgumentException: "
		if _, ok := errors.AsType[*types.InvalidArgumentException](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v", err)
		}
		if n := server.Stats().GetImagesCalls; n != 1 {
			t.Errorf("%d calls", n)
		}
	})
	t.Run("a token of another service", func(t *testing.T) {
		err := read(imagesInput("cam", 57), kvsio.PaginationConfig{StartingToken: "AgIC"})
		if _, ok := errors.AsType[*types.InvalidArgumentException](err); !ok ||
			!strings.Contains(err.Error(), "NextToken is not valid") {
			t.Errorf("%v", err)
		}
	})
	t.Run("no such stream", func(t *testing.T) {
		server.ResetStats()
		for range 2 { // it may exist by then
			err := read(imagesInput("unknown", 57), kvsio.PaginationConfig{})
			if _, ok := errors.AsType[*control.ResourceNotFoundException](err); !ok {
				t.Errorf("%v", err)
			}
		}
		if n := server.Stats().GetDataEndpointCalls; n != 2 {
			t.Errorf("%d calls by two paginators", n)
		}
	})
	t.Run("a page that failed is there afterwards", func(t *testing.T) {
		pages, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), imagesInput("cam", 57),
			kvsio.PaginationConfig{PageSize: new(15)})
		if err != nil {
			t.Fatal(err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if _, err := pages.NextPage(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		full, err := pages.BuildFullResult(t.Context())
		if err != nil || len(full.Images) != 20 {
			t.Errorf("%v", err)
		}
		if _, err := pages.NextPage(t.Context()); err == nil || pages.HasMorePages() {
			t.Error("there is a page after the last")
		}
	})
}
