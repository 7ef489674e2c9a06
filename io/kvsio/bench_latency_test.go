package kvsio_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	controltypes "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"
)

// BenchmarkLatency reads 1280 pages of a stream without quota whose service
// takes 500 ms a call: with the stock SDK, one call after another (a tenth of
// them, and the time of ten), and on each local runner with 64 in flight.
func BenchmarkLatency(b *testing.B) {
	const pages = 1280
	w := newWorld(b, worldConfig{streams: 1, picture: 2000, latency: 500 * time.Millisecond})
	var sequential float64
	b.Run("stock SDK", func(b *testing.B) {
		for b.Loop() {
			sequential = 10 * w.timed(b, pages/10*perPage, func() error { return stockPages(b, w, pages/10) })
		}
		b.ReportMetric(sequential, "s/1280-pages")
		b.ReportMetric(0, "ns/op")
	})
	p := paramsOf(w.server)
	p.MaxInFlight = 64
	for _, runner := range runners {
		b.Run(runner, func(b *testing.B) {
			var took float64
			for b.Loop() {
				took += w.timed(b, pages*perPage, func() error { return readInto(&takeShards{}, runner, p, w.ask(pages*perPage)) })
			}
			took /= float64(b.N)
			b.ReportMetric(took, "s/1280-pages")
			b.ReportMetric(sequential/took, "x-stock-SDK")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// stockPages takes pages of a world's first stream as the stock SDK does, in
// ranges of four.
func stockPages(b *testing.B, w *world, pages int) error {
	cfg, name := w.server.AWSConfig(), w.names[0]
	endpoint, err := kinesisvideo.NewFromConfig(cfg).GetDataEndpoint(b.Context(), &kinesisvideo.GetDataEndpointInput{
		StreamName: &name, APIName: controltypes.APINameGetImages,
	})
	if err != nil {
		return err
	}
	client := media.NewFromConfig(cfg, func(o *media.Options) { o.BaseEndpoint = endpoint.DataEndpoint })
	for start := newYear; pages > 0; start = start.Add(5 * time.Minute) {
		pager := media.NewGetImagesPaginator(client, &media.GetImagesInput{
			StreamName: &name, ImageSelectorType: types.ImageSelectorTypeProducerTimestamp, Format: types.FormatJpeg,
			StartTimestamp: aws.Time(start), EndTimestamp: aws.Time(start.Add(5*time.Minute - time.Millisecond)),
			SamplingInterval: aws.Int32(3000),
		})
		for pager.HasMorePages() {
			page, err := pager.NextPage(b.Context())
			if err != nil {
				return err
			}
			for _, entry := range page.Images {
				data, err := base64.StdEncoding.DecodeString(*entry.ImageContent)
				if err != nil {
					return err
				}
				taken.Add(int64(len(data)))
			}
			pages--
		}
	}
	return nil
}
