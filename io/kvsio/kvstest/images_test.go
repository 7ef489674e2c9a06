package kvstest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	archived "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"
	"pgregory.net/rapid"
)

// sketch describes images in a word each: the offset of the TimeStamp from
// newYear and what there is: a frame +, an error, or nothing.
func sketch(images []types.Image) string {
	var words []string
	for _, img := range images {
		what := "empty"
		switch {
		case img.ImageContent != nil:
			what = "+"
		case img.Error != "":
			what = strings.ToLower(string(img.Error))
		}
		words = append(words, fmt.Sprint(img.TimeStamp.Sub(newYear).Seconds())+":"+what)
	}
	return strings.Join(words, " ")
}

func TestWhatARangeGets(t *testing.T) {
	at := func(s float64) time.Time { return newYear.Add(time.Duration(s * float64(time.Second))) }
	cam := camera("cam")
	cam.FrameRate = 1
	cam.Media = []Range{{From: at(40), To: at(50.5)}, {From: at(0), To: at(30)}} // in any order
	cam.MediaErrors = []Range{{From: at(20), To: at(24)}}
	cfg := Config{Streams: []Stream{cam}}
	exclusive := cfg
	exclusive.EndInclusive = new(false)
	s := time.Second
	for _, c := range []struct {
		name               string
		cfg                Config
		from, to, interval time.Duration
		want               string
	}{
		{"the end counts", cfg, 0, 6 * s, 3 * s, "0:+ 3:+ 6:+"},
		{"the end does not count", exclusive, 0, 6 * s, 3 * s, "0:+ 3:+"},
		{"an end off the grid", exclusive, 0, 6*s + 1, 3 * s, "0:+ 3:+"},
		{"an end a millisecond later", exclusive, 0, 6*s + time.Millisecond, 3 * s, "0:+ 3:+ 6:+"},
		{"a range shorter than the interval", cfg, 4 * s, 5 * s, 3 * s, "4:+"},
		{"an empty range", exclusive, 4 * s, 4 * s, 3 * s, "4:+"},
		{"frames before the instants", cfg, 4 * s, 7 * s, 700 * time.Millisecond, "4:+ 4:+ 5:+ 6:+ 6:+"},
		{"gaps and errors", cfg, 16 * s, 52 * s, 4 * s, "16:+ 20:media_error 24:+ 28:+ 32:no_media 36:no_media 40:+ 44:+ " +
			"48:+ 52:no_media"},
		{"a start inside a fragment", cfg, 5 * s, 11 * s, s, "5:empty 6:empty 7:empty 8:+ 9:+ 10:+ 11:+"},
		{
			"inside the last fragment, which is short", cfg, 29 * s, 41 * s, 2 * s,
			"29:empty 31:no_media 33:no_media 35:no_media 37:no_media 39:no_media 41:+",
		},
		{"fragments count from each stretch", cfg, 44 * s, 46 * s, s, "44:+ 45:+ 46:+"},
		{"inside a broken fragment", cfg, 21 * s, 25 * s, s, "21:empty 22:empty 23:empty 24:+ 25:+"},
		{"a start outside media loses nothing", cfg, 38 * s, 42 * s, s, "38:no_media 39:no_media 40:+ 41:+ 42:+"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := start(t, c.cfg).mustImages("cam", window(c.from, c.to, c.interval))
			if got := sketch(out.Images); got != c.want || out.NextToken != nil {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestHeadIsTheRangesNotThePages(t *testing.T) {
	f := start(t, Config{PageSize: 2, Streams: []Stream{camera("cam")}})
	first := f.mustImages("cam", window(time.Second, 9*time.Second, time.Second))
	second := f.mustImages("cam", window(time.Second, 9*time.Second, time.Second), after(first.NextToken))
	third := f.mustImages("cam", window(time.Second, 9*time.Second, time.Second), after(second.NextToken))
	got := sketch(first.Images) + " | " + sketch(second.Images) + " | " + sketch(third.Images)
	if want := "1:empty 2:empty | 3:empty 4:+ | 5:+ 6:+"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRetention(t *testing.T) {
	cam := camera("cam")
	cam.Retention = new(time.Hour)
	f := start(t, Config{Streams: []Stream{cam}, Now: func() time.Time { return newYear.Add(time.Hour + 6*time.Second) }})
	out := f.mustImages("cam", window(0, 12*time.Second, 3*time.Second))
	if got, want := sketch(out.Images), "0:no_media 3:no_media 6:+ 9:+ 12:+"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStreamWithoutMedia(t *testing.T) {
	f := start(t, Config{Streams: []Stream{{Name: "new"}}})
	if got := sketch(f.mustImages("new", window(0, 3*time.Second, 3*time.Second)).Images); got != "0:no_media 3:no_media" {
		t.Error(got)
	}
}

func TestPictures(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam")}})
	for _, format := range []types.Format{types.FormatJpeg, types.FormatPng} {
		for _, size := range [][2]int32{{160, 90}, {321, 181}, {1280, 720}} {
			out := f.mustImages("cam", pageOf(2), func(in *archived.GetImagesInput) {
				in.Format = format
				if size[0] != 160 { // the stream's own
					in.WidthPixels, in.HeightPixels = &size[0], &size[1]
				}
			})
			for i, img := range out.Images {
				picture := decoded(t, img)
				if got := picture.Bounds().Size(); got.X != int(size[0]) || got.Y != int(size[1]) {
					t.Errorf("size %v, want %v", got, size)
				}
				code, err := ReadTimecode(picture)
				if want := (Timecode{StreamCode("cam"), newYear.Add(time.Duration(i) * 3 * time.Second)}); err != nil ||
					code != want {
					t.Errorf("got %v, %v, want %v", code, err, want)
				}
			}
		}
	}
}

func TestQualityMatters(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam")}})
	size := func(config map[string]string) int {
		return len(*f.mustImages("cam", pageOf(1),
			func(in *archived.GetImagesInput) { in.FormatConfig = config }).Images[0].ImageContent)
	}
	low, usual, eighty, high := size(map[string]string{"JPEGQuality": "1"}), size(nil),
		size(map[string]string{"JPEGQuality": "80"}), size(map[string]string{"JPEGQuality": "100"})
	if !(low < usual && usual == eighty && eighty < high) {
		t.Errorf("sizes %d, %d, %d, %d", low, usual, eighty, high)
	}
}

func TestPaging(t *testing.T) {
	cases := []struct {
		pageSize int
		max      int64 // 0: none
		want     []int
	}{
		{0, 0, []int{20}},
		{20, 0, []int{20}}, // no token on the exact last
		{7, 0, []int{7, 7, 6}},
		{7, 100, []int{7, 7, 6}},
		{7, 5, []int{5, 5, 5, 5}},
		{0, 19, []int{19, 1}},
	}
	for _, c := range cases {
		f := start(t, Config{PageSize: c.pageSize, Streams: []Stream{camera("cam")}})
		in := f.input("cam", func(in *archived.GetImagesInput) {
			if c.max > 0 {
				in.MaxResults = &c.max
			}
		})
		pages := archived.NewGetImagesPaginator(f.client(f.endpoint("cam")), in)
		var got []int
		var last time.Time
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, len(page.Images))
			last = *page.Images[len(page.Images)-1].TimeStamp
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) || !last.Equal(newYear.Add(57*time.Second)) {
			t.Errorf("page size %d, max results %d: pages of %v up to %v, want %v", c.pageSize, c.max, got, last, c.want)
		}
	}
}

func TestPageTokens(t *testing.T) {
	now := newYear.Add(time.Hour)
	clock := &now
	f := start(t, Config{Streams: []Stream{camera("cam"), camera("other")}, Now: func() time.Time { return *clock }})
	token := f.mustImages("cam", pageOf(3)).NextToken
	if ok, _ := regexp.MatchString(`^[a-zA-Z0-9+/]+={0,2}$`, *token); !ok || len(*token) > 4096 {
		t.Errorf("token %s", *token)
	}
	for range 2 { // it may be used again, with another MaxResults too
		if got := sketch(f.mustImages("cam", after(token), pageOf(2)).Images); got != "9:+ 12:+" {
			t.Errorf("got %s", got)
		}
	}
	for name, change := range map[string]func(*archived.GetImagesInput){
		"selector": func(in *archived.GetImagesInput) { in.ImageSelectorType = types.ImageSelectorTypeServerTimestamp },
		"start":    func(in *archived.GetImagesInput) { in.StartTimestamp = aws.Time(newYear.Add(time.Millisecond)) },
		"end":      func(in *archived.GetImagesInput) { in.EndTimestamp = aws.Time(newYear.Add(time.Minute)) },
		"interval": func(in *archived.GetImagesInput) { in.SamplingInterval = aws.Int32(2000) },
		"format":   func(in *archived.GetImagesInput) { in.Format = types.FormatPng },
		"quality":  func(in *archived.GetImagesInput) { in.FormatConfig = map[string]string{"JPEGQuality": "80"} },
		"size":     func(in *archived.GetImagesInput) { in.WidthPixels, in.HeightPixels = aws.Int32(160), aws.Int32(90) },
		"damage": func(in *archived.GetImagesInput) {
			in.NextToken = aws.String("B" + (*token)[1:])
		},
		"no token of ours": func(in *archived.GetImagesInput) { in.NextToken = aws.String("AAAA") },
	} {
		if _, err := f.images("cam", after(token), change); codeOf(err) != badArgument {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := f.images("other", after(token)); codeOf(err) != badArgument {
		t.Errorf("another stream: got %v", err)
	}
	elsewhere := start(t, Config{Streams: []Stream{camera("cam")}})
	if _, err := elsewhere.images("cam", after(token)); codeOf(err) != badArgument {
		t.Errorf("another server: got %v", err)
	}
	client := f.client(f.endpoint("cam"))
	now = now.Add(pageTokenTTL)
	if _, err := client.GetImages(t.Context(), f.input("cam", after(token))); codeOf(err) != badArgument ||
		!strings.Contains(err.Error(), "expired") {
		t.Errorf("expired: got %v", err)
	}
}

func TestEndpointTokens(t *testing.T) {
	now := newYear
	f := start(t, Config{
		Streams: []Stream{camera("cam"), camera("other")}, EndpointTokenTTL: time.Minute,
		Now: func() time.Time { return now },
	})
	endpoint := f.endpoint("cam")
	get := func(endpoint string) error {
		_, err := f.client(endpoint).GetImages(t.Context(), f.input("cam", pageOf(1)))
		return err
	}
	now = now.Add(time.Minute - time.Millisecond)
	if err := get(endpoint); err != nil {
		t.Errorf("before it expires: %v", err)
	}
	now = now.Add(time.Millisecond)
	for name, endpoint := range map[string]string{
		"expired":        endpoint,
		"another stream": f.endpoint("other"),
		"made up":        f.srv.URL + "/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"no base64":      f.srv.URL + "/a.b",
		"damaged":        f.endpoint("cam") + "A",
	} {
		err := get(endpoint)
		if refused := (*types.NotAuthorizedException)(nil); !errors.As(err, &refused) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := get(f.endpoint("cam")); err != nil {
		t.Errorf("asked for again: %v", err)
	}
	out, err := f.client(f.srv.URL).GetImages(t.Context(), f.input("cam"))
	if err != nil || out.Images != nil {
		t.Errorf("the control plane: got %v, %v", out, err)
	}
	status, _, body := signer{}.do(t, f.srv.URL+"/getImages", "{}")
	if status != 200 || body != "{}" {
		t.Errorf("the control plane: got %d %s", status, body)
	}
}

func TestFrame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from := rapid.Int64Range(0, latest.UnixMilli()/2).Draw(rt, "from")
		into := rapid.Int64Range(0, 1<<38).Draw(rt, "into")
		f := footage{rate: rapid.Float64Range(0.001, 1000).Draw(rt, "rate")}
		stretch := recording{span: span{from, from + into + 1}}
		frame := f.frame(stretch, from+into)
		if frame < from || frame > from+into {
			rt.Fatalf("frame %d of %d in %v", frame, from+into, stretch)
		}
		if again := f.frame(stretch, frame); again != frame {
			rt.Fatalf("the frame at a frame's time, %d, is %d", frame, again)
		}
		if float64(from+into-frame) > 1000/f.rate+1 {
			rt.Fatalf("frame %d is %d ms before the instant at %g frames a second", frame, from+into-frame, f.rate)
		}
	})
}
