package kvsio_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	controltypes "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// BenchmarkLatency reads 640 pages of a service that takes 200 ms a call: with
// the stock SDK, one call after another (a tenth of them, and the time of ten),
// and with 32 calls in flight on each local runner.
func BenchmarkLatency(b *testing.B) {
	const pages, perPage = 640, 25
	server := kvstest.NewServer(kvstest.Config{
		Latency: kvstest.Latency{PerCall: 200 * time.Millisecond},
		Streams: []kvstest.Stream{{Name: "cam", Media: day, Fragment: 3 * time.Second, Quota: noQuota()}},
	})
	defer server.Close()
	asked := request("cam", newYear, pages*perPage*3*time.Second)
	b.Run("stock SDK", func(b *testing.B) {
		for b.Loop() {
			if n := stockPages(b, server, asked, pages/10); n != pages/10*perPage {
				b.Fatalf("%d images", n)
			}
		}
		b.ReportMetric(10*b.Elapsed().Seconds()/float64(b.N), "s/640-pages")
	})
	for _, runner := range runners {
		b.Run(fmt.Sprint(runner, " 32 in flight"), func(b *testing.B) {
			for b.Loop() {
				p := paramsOf(server)
				pipeline, s := beam.NewPipelineWithRoot()
				beam.ParDo0(s, &bundles{Run: b.Name()}, kvsio.ReadShards(s, p, asked))
				if _, err := beam.Run(context.Background(), runner, pipeline); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/640-pages")
		})
	}
}

// stockPages reads pages as the stock SDK does, in ranges of four.
func stockPages(b *testing.B, server *kvstest.Server, r kvsio.Request, pages int) (images int) {
	cfg := server.AWSConfig()
	endpoint, err := kinesisvideo.NewFromConfig(cfg).GetDataEndpoint(b.Context(), &kinesisvideo.GetDataEndpointInput{
		StreamName: &r.StreamName, APIName: controltypes.APINameGetImages,
	})
	if err != nil {
		b.Fatal(err)
	}
	client := media.NewFromConfig(cfg, func(o *media.Options) { o.BaseEndpoint = endpoint.DataEndpoint })
	for start := r.StartTimestamp; pages > 0; start = start.Add(5 * time.Minute) {
		pager := media.NewGetImagesPaginator(client, &media.GetImagesInput{
			StreamName: &r.StreamName, ImageSelectorType: types.ImageSelectorType(r.ImageSelectorType), Format: types.Format(r.Format),
			StartTimestamp: aws.Time(start), EndTimestamp: aws.Time(start.Add(5*time.Minute - time.Millisecond)),
			SamplingInterval: aws.Int32(3000), FormatConfig: r.FormatConfig, WidthPixels: aws.Int32(160), HeightPixels: aws.Int32(90),
		})
		for pager.HasMorePages() {
			page, err := pager.NextPage(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			images += len(page.Images)
			pages--
		}
	}
	return images
}
