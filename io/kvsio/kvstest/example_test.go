package kvstest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/jpeg"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	kvtypes "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

func ExampleNewServer() {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	srv := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name:  "front-door",
		Media: []kvstest.Range{{From: from, To: from.Add(time.Hour)}},
	}}})
	defer srv.Close()

	ctx := context.Background()
	control := kinesisvideo.NewFromConfig(srv.AWSConfig())
	endpoint, err := control.GetDataEndpoint(ctx, &kinesisvideo.GetDataEndpointInput{
		StreamName: aws.String("front-door"),
		APIName:    kvtypes.APINameGetImages,
	})
	if err != nil {
		log.Fatal(err)
	}
	media := kinesisvideoarchivedmedia.NewFromConfig(srv.AWSConfig(), func(o *kinesisvideoarchivedmedia.Options) {
		o.BaseEndpoint = endpoint.DataEndpoint
	})
	answer, err := media.GetImages(ctx, &kinesisvideoarchivedmedia.GetImagesInput{
		StreamName:        aws.String("front-door"),
		ImageSelectorType: types.ImageSelectorTypeProducerTimestamp,
		StartTimestamp:    aws.Time(from),
		EndTimestamp:      aws.Time(from.Add(8 * time.Second)),
		SamplingInterval:  aws.Int32(3000),
		Format:            types.FormatJpeg,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, img := range answer.Images {
		raw, err := base64.StdEncoding.DecodeString(*img.ImageContent)
		if err != nil {
			log.Fatal(err)
		}
		picture, format, err := image.Decode(bytes.NewReader(raw))
		if err != nil {
			log.Fatal(err)
		}
		code, err := kvstest.ReadTimecode(picture)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(format, picture.Bounds().Size(), code.Stream == kvstest.StreamCode("front-door"),
			code.Time.Format(time.TimeOnly))
	}
	// Output:
	// jpeg (1280,720) true 00:00:00
	// jpeg (1280,720) true 00:00:03
	// jpeg (1280,720) true 00:00:06
}
