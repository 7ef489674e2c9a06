package kvsio_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestRegionOfARN: whoever reads a stream by its ARN need not say its region, and is
// told where they say another one.
func TestRegionOfARN(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{
		Region:  "eu-west-1",
		Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}},
	})
	t.Cleanup(server.Close)
	machine(t, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=us-east-1",
		"AWS_ENDPOINT_URL_KINESIS_VIDEO="+server.URL)
	r := request("", newYear, time.Minute)
	r.StreamARN = server.StreamARN("cam")
	ways := map[string]func(p kvsio.ReadParams) error{
		"NewPlan": func(p kvsio.ReadParams) error {
			_, err := kvsio.NewPlan(t.Context(), p, []kvsio.Request{r})
			return err
		},
		"Check": func(p kvsio.ReadParams) error { _, err := kvsio.Check(t.Context(), p, []kvsio.Request{r}); return err },
		"ResolveAWS": func(p kvsio.ReadParams) error {
			resolved, err := kvsio.ResolveAWS(t.Context(), p.AWS, r)
			if err == nil && resolved.Region != "eu-west-1" {
				t.Errorf("the region is %s", resolved.Region)
			}
			return err
		},
		"NewPaginator": func(p kvsio.ReadParams) error {
			in := imagesInput("", 60)
			in.StreamName, in.StreamARN = nil, &r.StreamARN
			pages, err := kvsio.NewPaginator(t.Context(), pagesOf(p), in, kvsio.PaginationConfig{})
			if err == nil {
				_, err = pages.BuildFullResult(t.Context())
			}
			return err
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			if err := way(kvsio.ReadParams{}); err != nil {
				t.Error(err)
			}
			calls := len(server.Stats().Refused)
			err := way(kvsio.ReadParams{AWS: kvsio.AWSParams{Region: "us-east-1"}})
			wrong, ok := errors.AsType[*kvsio.RequestError](err)
			want := "in us-east-1, the region that is read: leave AWS.Region out, or set it to eu-west-1"
			if !ok || len(wrong.Faults) != 1 || wrong.Faults[0].Field != "StreamARN" || !strings.HasSuffix(wrong.Error(), want) {
				t.Errorf("the error is %v", err)
			}
			if len(server.Stats().Refused) > calls {
				t.Error("it is asked of the service")
			}
		})
	}
	if frames, _ := run(t, "direct", kvsio.ReadParams{}, r); len(frames) != 20 {
		t.Errorf("Read gives %d frames", len(frames))
	}
}

// TestReadAllOfOtherRegions: a request whose ARN is of another region than the
// environment's is invalid, and the others are read.
func TestReadAllOfOtherRegions(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}}})
	t.Cleanup(server.Close)
	machine(t, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=us-east-1",
		"AWS_ENDPOINT_URL_KINESIS_VIDEO="+server.URL)
	here, there := request("", newYear, time.Minute), request("", newYear, time.Minute)
	here.StreamARN = server.StreamARN("cam")
	there.StreamARN = strings.Replace(here.StreamARN, "us-east-1", "eu-west-1", 1)
	id := t.Name()
	pipeline, s := beam.NewPipelineWithRoot()
	frames, _, invalid := kvsio.ReadAll(s, kvsio.ReadParams{}, beam.Create(s, there, here))
	beam.ParDo0(s, &collectFrames{Run: id}, frames)
	beam.ParDo0(s, &collectFailures{Run: id}, invalid)
	if _, err := beam.Run(t.Context(), "direct", pipeline); err != nil {
		t.Fatal(err)
	}
	refused := collected.failures[id]
	if got, _ := sorted(id); len(got) != 20 || len(refused) != 1 ||
		!strings.Contains(refused[0].Problem, "in us-east-1, the region that is read") {
		t.Errorf("%d frames, and invalid: %+v", len(got), refused)
	}
}

// TestReadAllFindsTheRegion: where nothing else names a region, it is that of the ARNs of
// valid requests, in whatever order they come.
func TestReadAllFindsTheRegion(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}}})
	t.Cleanup(server.Close)
	machine(t, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL_KINESIS_VIDEO="+server.URL)
	first, last, invalid := request("", newYear, time.Minute), request("", newYear, time.Minute), request("", newYear, 0)
	last.StreamARN = server.StreamARN("cam")
	first.StreamARN = strings.Replace(last.StreamARN, "us-east-1", "af-south-1", 1)
	invalid.StreamARN = first.StreamARN
	named := request("cam", newYear, time.Minute)
	for name, c := range map[string]struct {
		requests       []kvsio.Request
		frames, failed int
		err            string
	}{
		"an invalid one first": {[]kvsio.Request{invalid, last}, 20, 1, ""},
		"names alone":          {[]kvsio.Request{named}, 0, 0, "no AWS region: set AWS_REGION"},
		"another one last":     {[]kvsio.Request{last, first}, 0, 0, "af-south-1"}, // it is read, as in the next
		"another one first":    {[]kvsio.Request{first, last}, 0, 0, "af-south-1"},
	} {
		t.Run(name, func(t *testing.T) {
			id := t.Name()
			pipeline, s := beam.NewPipelineWithRoot()
			frames, _, failures := kvsio.ReadAll(s, kvsio.ReadParams{}, beam.CreateList(s, c.requests))
			beam.ParDo0(s, &collectFrames{Run: id}, frames)
			beam.ParDo0(s, &collectFailures{Run: id}, failures)
			_, err := beam.Run(t.Context(), "direct", pipeline)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("the error is %v, want %q", err, c.err)
				}
				return
			}
			if n, failed := len(collected.frames[id]), len(collected.failures[id]); err != nil || n != c.frames ||
				failed != c.failed {
				t.Errorf("%d frames and %d failures, %v", n, failed, err)
			}
		})
	}
}
