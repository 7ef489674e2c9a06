package kvsio_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	controltypes "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

// BenchmarkPipeline reads 20,000 frames of 100 kB that cost the service
// nothing: through prism; with the same engine and no Beam; and only their
// bodies, which is what the stand-in and the loopback cost.
func BenchmarkPipeline(b *testing.B) {
	const frames = 20_000
	w := newWorld(b, worldConfig{streams: 1, picture: 100_000})
	p, requests := paramsOf(w.server), w.ask(frames)
	plan, err := kvsio.NewPlan(context.Background(), p, requests)
	if err != nil {
		b.Fatal(err)
	}
	var bodies, bare, prism float64
	for b.Loop() {
		bodies += w.timed(b, frames, func() error { return readBodies(b.Context(), w, frames) })
		bare += w.timed(b, frames, func() error {
			return kvsio.FetchAll(b.Context(), p, plan, take)
		})
		prism += w.timed(b, frames, func() error { return readInto(&takeShards{}, "prism", p, requests) })
	}
	b.ReportMetric(bodies/float64(b.N), "s/bodies")
	b.ReportMetric(bare/float64(b.N), "s/bare")
	b.ReportMetric(prism/float64(b.N), "s/prism")
	b.ReportMetric(bodies/bare, "bodies/bare")
	b.ReportMetric(prism/bare, "prism/bare")
	b.ReportMetric(0, "ns/op")
}

// readBodies asks for frames of a world's first stream, a page a call, and throws the
// answers away unread.
func readBodies(ctx context.Context, w *world, frames int) error {
	cfg, name := w.server.AWSConfig(), w.names[0]
	endpoint, err := kinesisvideo.NewFromConfig(cfg).GetDataEndpoint(ctx, &kinesisvideo.GetDataEndpointInput{
		StreamName: &name, APIName: controltypes.APINameGetImages,
	})
	if err != nil {
		return err
	}
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	signer := v4.NewSigner()
	readPage := func(page int) error {
		start := newYear.Add(time.Duration(page*perPage) * 3 * time.Second)
		body := fmt.Appendf(nil, `{"StreamName":%q,"ImageSelectorType":"PRODUCER_TIMESTAMP","StartTimestamp":%d,"EndTimestamp":%d,"SamplingInterval":3000,"Format":"JPEG"}`,
			name, start.Unix(), start.Unix()+3*perPage-1)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, *endpoint.DataEndpoint+"/getImages", bytes.NewReader(body))
		if err != nil {
			return err
		}
		hash := sha256.Sum256(body)
		if err := signer.SignHTTP(ctx, keys, r, hex.EncodeToString(hash[:]), "kinesisvideo", cfg.Region,
			time.Now()); err != nil {
			return err
		}
		answer, err := cfg.HTTPClient.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("page %d: %s", page, answer.Status)
		}
		n, err := io.Copy(io.Discard, answer.Body)
		taken.Add(n * 3 / 4 / int64(w.picture) * int64(w.picture)) // without the JSON around the pictures
		return err
	}
	var group errgroup.Group
	group.SetLimit(kvsio.DefaultMaxInFlight)
	for page := range frames / perPage {
		group.Go(func() error { return readPage(page) })
	}
	return group.Wait()
}
