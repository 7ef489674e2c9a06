package kvsio_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// Every parameter reaches the service as it was given.
func TestPaginatorSendsItsInput(t *testing.T) {
	var body []byte
	var url string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ = io.ReadAll(r.Body); r.URL.Path == "/getDataEndpoint" {
			fmt.Fprintf(w, `{"DataEndpoint":%q}`, url)
			return
		}
		io.WriteString(w, `{"Images":[]}`)
	}))
	defer server.Close()
	url = server.URL
	const arn = "arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/1600000000000"
	full := imagesInput("cam", 300)
	full.StreamName, full.StreamARN, full.ImageSelectorType = nil, aws.String(arn), types.ImageSelectorTypeServerTimestamp
	full.StartTimestamp, full.Format = aws.Time(newYear.Add(123*time.Millisecond)), types.FormatPng
	const name = `{"EndTimestamp":1767225657,"Format":"JPEG","FormatConfig":{"JPEGQuality":"30"},"HeightPixels":90,` +
		`"ImageSelectorType":"PRODUCER_TIMESTAMP","SamplingInterval":3000,"StartTimestamp":1767225600,"StreamName":"cam","WidthPixels":160}`
	const all = `{"EndTimestamp":1767225900,"Format":"PNG","FormatConfig":{"JPEGQuality":"30"},"HeightPixels":90,` +
		`"ImageSelectorType":"SERVER_TIMESTAMP","MaxResults":7,"NextToken":"AgIC","SamplingInterval":3000,` +
		`"StartTimestamp":1767225600.123,"StreamARN":"` + arn + `","WidthPixels":160}`
	for _, c := range []struct {
		in     *media.GetImagesInput
		config kvsio.PaginationConfig
		want   string
	}{
		{imagesInput("cam", 57), kvsio.PaginationConfig{MaxItems: new(3)}, name},
		{full, kvsio.PaginationConfig{PageSize: new(7), StartingToken: "AgIC"}, all},
	} {
		p := kvsio.ReadParams{AWS: kvsio.AWSParams{EndpointURL: url}}
		pages, err := kvsio.NewPaginator(t.Context(), pagesOf(p), c.in, c.config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pages.NextPage(t.Context()); err != nil {
			t.Fatal(err)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatal(err)
		}
		var sent []string
		for _, key := range slices.Sorted(maps.Keys(members)) {
			sent = append(sent, fmt.Sprintf("%q:%s", key, members[key]))
		}
		if got := "{" + strings.Join(sent, ",") + "}"; got != c.want {
			t.Errorf("sent %s\nwant %s", got, c.want)
		}
	}
}

// imagesOf reads what a range has, with the input changed.
func imagesOf(t *testing.T, server *kvstest.Server, seconds int, change func(*media.GetImagesInput)) ([]kvsio.Image,
	error,
) {
	t.Helper()
	in := imagesInput("cam", seconds)
	change(in)
	pages, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), in, kvsio.PaginationConfig{})
	if err != nil {
		t.Fatal(err)
	}
	full, err := pages.BuildFullResult(t.Context())
	if err != nil {
		return nil, err
	}
	return full.Images, nil
}

func TestRangeShorterThanItsIntervalIsOneImage(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{halting}})
	defer server.Close()
	for _, seconds := range []int{0, 2} {
		images, err := imagesOf(t, server, seconds, func(*media.GetImagesInput) {})
		if err != nil || len(images) != 1 || !images[0].TimeStamp.Equal(newYear) || len(images[0].Content) == 0 {
			t.Errorf("%d s: %d images, %v", seconds, len(images), err)
		}
	}
}

// A sample without an image has its time, and the service's word for why.
func TestPaginatorTellsGaps(t *testing.T) {
	stream := halting
	stream.MediaErrors = []kvstest.Range{{From: newYear.Add(3 * time.Second), To: newYear.Add(6 * time.Second)}}
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{stream}})
	defer server.Close()
	for _, c := range []struct {
		start time.Duration
		want  string
	}{
		{0, "0s:true 3s:MEDIA_ERROR,false 6s:true"},
		// the first is in a fragment that the range starts inside
		{87 * time.Second, "1m27s:,false 1m30s:NO_MEDIA,false 1m33s:NO_MEDIA,false"},
	} {
		images, err := imagesOf(t, server, 6, func(in *media.GetImagesInput) {
			in.StartTimestamp, in.EndTimestamp = aws.Time(newYear.Add(c.start)), aws.Time(newYear.Add(c.start+6*time.Second))
		})
		var got []string
		for _, image := range images {
			text := fmt.Sprintf("%v:%s,%v", image.TimeStamp.Sub(newYear), image.Error, len(image.Content) > 0)
			got = append(got, strings.Replace(text, ":,true", ":true", 1))
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("got %s, %v, want %s", strings.Join(got, " "), err, c.want)
		}
	}
}

// Pictures have the format and size that are asked for: else the stream's size,
// and quality 80.
func TestPaginatorImagesAreAsAskedFor(t *testing.T) {
	stream := halting
	stream.Width, stream.Height = 320, 180
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{stream}})
	defer server.Close()
	picture := func(change func(*media.GetImagesInput)) (content []byte, looks string) {
		images, err := imagesOf(t, server, 0, change)
		if err != nil {
			t.Fatal(err)
		}
		decoded, format, err := image.DecodeConfig(bytes.NewReader(images[0].Content))
		return images[0].Content, fmt.Sprintf("%s %d×%d %v", format, decoded.Width, decoded.Height, err)
	}
	quality := func(q string) func(*media.GetImagesInput) {
		return func(in *media.GetImagesInput) {
			if in.FormatConfig = nil; q != "" {
				in.FormatConfig = map[string]string{"JPEGQuality": q}
			}
		}
	}
	for want, change := range map[string]func(*media.GetImagesInput){
		"jpeg 160×90 <nil>": func(*media.GetImagesInput) {},
		"png 160×90 <nil>":  func(in *media.GetImagesInput) { in.Format = types.FormatPng },
		"jpeg 50×200 <nil>": func(in *media.GetImagesInput) {
			in.WidthPixels, in.HeightPixels = aws.Int32(50),
				aws.Int32(200)
		},
		"jpeg 320×180 <nil>": func(in *media.GetImagesInput) { in.WidthPixels, in.HeightPixels = nil, nil },
	} {
		if _, looks := picture(change); looks != want {
			t.Errorf("%s, want %s", looks, want)
		}
	}
	worst, _ := picture(quality("1"))
	plain, _ := picture(quality(""))
	eighty, _ := picture(quality("80"))
	best, _ := picture(quality("100"))
	if !bytes.Equal(plain, eighty) || len(worst) >= len(plain) || len(plain) >= len(best) {
		t.Errorf("%d, %d, %d, %d bytes at qualities 1, none, 80, 100", len(worst), len(plain), len(eighty), len(best))
	}
}

// A width or a height alone, which the service refuses, is refused before it is
// asked.
func TestOneOfWidthAndHeightIsRefused(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{halting}})
	defer server.Close()
	for field, change := range map[string]func(*media.GetImagesInput){
		"WidthPixels":  func(in *media.GetImagesInput) { in.HeightPixels = nil },
		"HeightPixels": func(in *media.GetImagesInput) { in.WidthPixels = nil },
	} {
		in := imagesInput("cam", 0)
		change(in)
		_, err := kvsio.NewPaginator(t.Context(), pagesOf(paramsOf(server)), in, kvsio.PaginationConfig{})
		if wrong, ok := errors.AsType[*kvsio.RequestError](err); !ok || wrong.Faults[0].Field != field {
			t.Errorf("%s alone: %v", field, err)
		}
	}
	if n := server.Stats().GetDataEndpointCalls; n != 0 {
		t.Errorf("%d calls were made", n)
	}
	for _, size := range [][2]int{{160, 0}, {0, 90}} {
		r := request("cam", newYear, time.Minute)
		r.WidthPixels, r.HeightPixels = size[0], size[1]
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), "given together with") {
			t.Errorf("%v: %v", size, err)
		}
	}
}
