package kvstest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	kvtypes "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	archived "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
)

func TestListStreams(t *testing.T) {
	f := start(t, Config{Streams: []Stream{{Name: "b-2"}, {Name: "a"}, {Name: "b-1"}, {Name: "b-3"}}})
	list := func(max int32, prefix string) (pages []string) {
		in := &kinesisvideo.ListStreamsInput{MaxResults: &max}
		if prefix != "" {
			in.StreamNameCondition = &kvtypes.StreamNameCondition{
				ComparisonOperator: kvtypes.ComparisonOperatorBeginsWith,
				ComparisonValue:    &prefix,
			}
		}
		p := kinesisvideo.NewListStreamsPaginator(f.control, in)
		for p.HasMorePages() {
			page, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, s := range page.StreamInfoList {
				names = append(names, *s.StreamName)
			}
			pages = append(pages, strings.Join(names, " "))
		}
		return pages
	}
	for _, c := range []struct {
		max    int32
		prefix string
		want   []string
	}{
		{10000, "", []string{"a b-1 b-2 b-3"}},
		{3, "", []string{"a b-1 b-2", "b-3"}},
		{2, "", []string{"a b-1", "b-2 b-3"}},
		{2, "b-", []string{"b-1 b-2", "b-3"}},
		{2, "c", []string{""}},
	} {
		if got := list(c.max, c.prefix); !slices.Equal(got, c.want) {
			t.Errorf("%d, %q: got %q, want %q", c.max, c.prefix, got, c.want)
		}
	}
	page, err := f.control.ListStreams(t.Context(), &kinesisvideo.ListStreamsInput{MaxResults: new(int32(1))})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.control.ListStreams(t.Context(), &kinesisvideo.ListStreamsInput{
		NextToken: page.NextToken,
		StreamNameCondition: &kvtypes.StreamNameCondition{
			ComparisonOperator: kvtypes.ComparisonOperatorBeginsWith,
			ComparisonValue:    new("b"),
		},
	})
	if codeOf(err) != badArgument {
		t.Errorf("a token of another list: got %v", err)
	}
}

func TestDescribeStream(t *testing.T) {
	cam := camera("cam")
	cam.Retention = new(48 * time.Hour)
	cam.Tags = map[string]string{"site": "hq"}
	f := start(t, Config{Region: "eu-west-1", Account: "123456789012", Streams: []Stream{cam, {Name: "new"}}})
	out, err := f.control.DescribeStream(t.Context(), &kinesisvideo.DescribeStreamInput{StreamName: new("cam")})
	if err != nil {
		t.Fatal(err)
	}
	s := out.StreamInfo
	if *s.StreamARN != "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam/1767225600000" ||
		*s.StreamARN != f.srv.StreamARN("cam") ||
		*s.StreamName != "cam" || *s.DataRetentionInHours != 48 || s.Status != kvtypes.StatusActive ||
		!s.CreationTime.Equal(newYear) || *s.MediaType != "video/h264" || len(*s.Version) != 20 {
		t.Errorf("got %+v", s)
	}
	byARN, err := f.control.DescribeStream(t.Context(), &kinesisvideo.DescribeStreamInput{StreamARN: s.StreamARN})
	if err != nil || *byARN.StreamInfo.StreamName != "cam" {
		t.Errorf("by ARN: %v", err)
	}
	for name, want := range map[string]string{"cam": "hq", "new": ""} {
		tags, err := f.control.ListTagsForStream(t.Context(), &kinesisvideo.ListTagsForStreamInput{StreamName: &name})
		if err != nil || tags.Tags["site"] != want {
			t.Errorf("tags of %s: %v, %v", name, tags, err)
		}
	}
	if got := f.srv.StreamARN("nobody"); got != "" {
		t.Errorf("the ARN of nobody is %s", got)
	}
}

func TestStats(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam"), camera("other")}})
	f.mustImages("cam", pageOf(4))
	f.images("cam", pageOf(101))
	f.mustImages("other", window(time.Second, 6*time.Second, time.Second)) // 3 empty, 3 pictures
	f.control.DescribeStream(t.Context(), &kinesisvideo.DescribeStreamInput{StreamName: new("nobody")})
	answer, err := http.Get(f.srv.URL + "/_stats")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got any
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := `{"describe_stream_calls":1,"get_data_endpoint_calls":2,"get_images_calls":3,"identity_tokens":0,"images":7,` +
		`"list_fragments_calls":0,"max_concurrent":1,"refused":{"InvalidArgumentException":1,"ResourceNotFoundException":1},"sessions":0,"streams":{` +
		`"cam":{"describe_stream_calls":0,"get_data_endpoint_calls":1,"get_images_calls":2,"images":4,"list_fragments_calls":0,"max_concurrent":1,"refused":{"InvalidArgumentException":1}},` +
		`"other":{"describe_stream_calls":0,"get_data_endpoint_calls":1,"get_images_calls":1,"images":3,"list_fragments_calls":0,"max_concurrent":1,"refused":{}}}}`
	if text, _ := json.Marshal(got); string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	f.srv.ResetStats()
	if s := f.srv.Stats(); s.GetImagesCalls != 0 || len(s.Refused) != 0 || s.Streams["cam"].Images != 0 {
		t.Errorf("after a reset: %+v", s)
	}
}

func TestConcurrency(t *testing.T) {
	f := start(t, Config{
		Latency: Latency{PerCall: 20 * time.Millisecond, PerImage: time.Millisecond},
		Streams: []Stream{camera("cam"), camera("other")},
	})
	clients := map[string]*archived.Client{"cam": f.client(f.endpoint("cam")), "other": f.client(f.endpoint("other"))}
	begun := time.Now()
	var calls sync.WaitGroup
	for name, client := range clients {
		for range 8 {
			calls.Go(func() {
				if _, err := client.GetImages(t.Context(), f.input(name, pageOf(10))); err != nil {
					t.Error(err)
				}
			})
		}
	}
	calls.Wait()
	if took := time.Since(begun); took < 30*time.Millisecond {
		t.Errorf("took %v", took)
	}
	s := f.srv.Stats()
	if s.MaxConcurrent < 2 || s.MaxConcurrent > 16 || s.Streams["cam"].MaxConcurrent > 8 || s.Images != 160 {
		t.Errorf("got %+v", s)
	}
}

func TestNewServerPanics(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "page_size") {
			t.Errorf("recovered %v", err)
		}
	}()
	NewServer(Config{PageSize: 101})
}

func TestListen(t *testing.T) {
	srv, err := Listen(Config{}, ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	if !strings.HasPrefix(srv.URL, "http://127.0.0.1:") {
		t.Errorf("URL %s", srv.URL)
	}
	if _, err := Listen(Config{}, strings.TrimPrefix(srv.URL, "http://")); err == nil {
		t.Error("the address is taken, and no error")
	}
	want := []string{
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_ENDPOINT_URL_KINESIS_VIDEO=" + srv.URL,
	}
	for _, v := range want {
		if !slices.Contains(srv.Env(), v) {
			t.Errorf("%s is not in %v", v, srv.Env())
		}
	}
}

func TestCloseTwice(t *testing.T) {
	srv := NewServer(Config{})
	srv.Close()
	srv.Close()
}
