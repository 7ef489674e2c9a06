package kvsio_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// hours is a stream with a hole, whose fragments never fit the ranges that a
// long one is split into.
func hours(fragment time.Duration) kvstest.Stream {
	return kvstest.Stream{
		Name: "cam", Quota: noQuota(), Fragment: fragment, Width: 64, Height: 36, FrameRate: 1,
		Media: []kvstest.Range{
			{From: newYear.Add(-time.Minute), To: newYear.Add(20 * time.Minute)},
			{From: newYear.Add(22 * time.Minute), To: newYear.Add(24 * time.Hour)},
		},
	}
}

// longInput asks for n images, step apart.
func longInput(step time.Duration, n int) *media.GetImagesInput {
	in := imagesInput("cam", 0)
	in.WidthPixels, in.HeightPixels, in.SamplingInterval = nil, nil, aws.Int32(int32(step.Milliseconds()))
	in.EndTimestamp = aws.Time(newYear.Add(time.Duration(n-1) * step))
	return in
}

func listSplit(t testing.TB, server *kvstest.Server, in *media.GetImagesInput,
	config kvsio.PaginationConfig,
) (*kvsio.Page, error) {
	config.SplitRange = true
	pages, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), in, config)
	if err != nil {
		return nil, err
	}
	return pages.BuildFullResult(t.Context())
}

// Every instant of a long range has one image, or the reason why it has none,
// wherever fragments and ranges end.
func TestSplitRangeIsWhole(t *testing.T) {
	for _, c := range []struct {
		fragment, step time.Duration
		n              int
	}{
		{4 * time.Second, 3 * time.Second, 301},
		{7 * time.Second, 3 * time.Second, 601},
		{20 * time.Second, 3 * time.Second, 250},
		{20 * time.Second, 200 * time.Millisecond, 1502},
		{7 * time.Second, 29 * time.Second, 100},
		{7 * time.Second, 150 * time.Second, 20},
		{20 * time.Second, 300 * time.Second, 20},
		{20 * time.Second, 400 * time.Second, 20},
	} {
		server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{hours(c.fragment)}})
		defer server.Close()
		full, err := listSplit(t, server, longInput(c.step, c.n), kvsio.PaginationConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if len(full.Images) != c.n || full.NextToken != "" {
			t.Fatalf("%+v: %d images, then %q", c, len(full.Images), full.NextToken)
		}
		for i, image := range full.Images {
			at := newYear.Add(time.Duration(i) * c.step)
			hole := !at.Before(newYear.Add(20*time.Minute)) && at.Before(newYear.Add(22*time.Minute))
			if behind := at.Sub(image.TimeStamp); behind < 0 || behind >= time.Second ||
				(image.Error == frame.NoMedia) != hole || (image.Content == nil) != hole {
				t.Fatalf("%+v: image %d of %v has %v, %q", c, i, at, image.TimeStamp, image.Error)
			}
		}
	}
}

// A chain of tokens is the whole, and costs no images that are not returned.
func TestChainOfASplitRangeIsTheWhole(t *testing.T) {
	t.Parallel()
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{hours(4 * time.Second)}})
	defer server.Close()
	const n = 260
	in := longInput(3*time.Second, n)
	whole, err := listSplit(t, server, in, kvsio.PaginationConfig{})
	if err != nil || len(whole.Images) != n {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		var images []kvsio.Image
		var config kvsio.PaginationConfig
		for links := 0; links == 0 || config.StartingToken != ""; links++ {
			config.MaxItems, config.PageSize = nil, nil
			if links < 6 {
				config.MaxItems = new(rapid.IntRange(0, 150).Draw(rt, "max items"))
			}
			if rapid.Bool().Draw(rt, "sized") { // it may change: these tokens count images of the range
				config.PageSize = new(rapid.IntRange(5, 100).Draw(rt, "page size"))
			}
			part, err := listSplit(t, server, in, config)
			if err != nil {
				rt.Fatal(err)
			}
			config.StartingToken = part.NextToken
			images = append(images, part.Images...)
		}
		if !sameImages(images, whole.Images) {
			rt.Fatalf("%d images, not the %d there are", len(images), n)
		}
	})
}

// A page's NextToken is where a paginator goes on from that got no further.
func TestPagesOfASplitRange(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{hours(4 * time.Second)}})
	defer server.Close()
	in := longInput(3*time.Second, 230)
	pages, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), in, kvsio.PaginationConfig{SplitRange: true})
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for page, err := range pages.Pages(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.Images))
		if rest, err := listSplit(t, server, in,
			kvsio.PaginationConfig{StartingToken: page.NextToken}); page.NextToken != "" &&
			(err != nil || len(rest.Images) != 230-100*len(sizes)) {
			t.Errorf("%v", err)
		}
	}
	if !slices.Equal(sizes, []int{100, 100, 30}) || pages.ResumeToken() != "" {
		t.Errorf("pages of %d, then %q", sizes, pages.ResumeToken())
	}
}

// Nothing changes for a range that GetImages takes.
func TestSplitRangeLeavesShortRangesAlone(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{hours(20 * time.Second)}})
	defer server.Close()
	in := longInput(3*time.Second, 101)
	in.StartTimestamp = aws.Time(newYear.Add(time.Second)) // inside a fragment
	plain, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), in, kvsio.PaginationConfig{MaxItems: new(30)})
	if err != nil {
		t.Fatal(err)
	}
	want, err := plain.BuildFullResult(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := listSplit(t, server, in, kvsio.PaginationConfig{MaxItems: new(30)})
	if err != nil || !sameImages(got.Images, want.Images) || got.NextToken != want.NextToken ||
		want.Images[0].Content != nil {
		t.Errorf("%v: not what it is without SplitRange", err)
	}
}

func TestSplitRangeRefusesWhatCannotBeRight(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{hours(4 * time.Second)}})
	defer server.Close()
	for want, change := range map[string]func(*media.GetImagesInput, *kvsio.PaginationConfig){
		"SamplingInterval is 100ms: it must be at least 200ms": func(in *media.GetImagesInput,
			_ *kvsio.PaginationConfig,
		) {
			in.SamplingInterval = aws.Int32(100)
		},
		"SamplingInterval is not set": func(in *media.GetImagesInput,
			_ *kvsio.PaginationConfig,
		) {
			in.SamplingInterval = nil
		},
		"WidthPixels is 5 without HeightPixels": func(in *media.GetImagesInput,
			_ *kvsio.PaginationConfig,
		) {
			in.WidthPixels = aws.Int32(5)
		},
		"PaginationConfig.StartingToken is of a range of at": func(_ *media.GetImagesInput,
			c *kvsio.PaginationConfig,
		) {
			c.StartingToken = "AgIC"
		},
	} {
		in, config := longInput(3*time.Second, 200), kvsio.PaginationConfig{}
		change(in, &config)
		_, err := listSplit(t, server, in, config)
		if wrong, ok := errors.AsType[*kvsio.RequestError](err); !ok || !strings.HasPrefix(wrong.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
	in := longInput(3*time.Second, 200)
	in.StreamName = aws.String("unknown")
	if _, err := listSplit(t, server, in, kvsio.PaginationConfig{}); err == nil {
		t.Error("an unknown stream is no error")
	}
}
