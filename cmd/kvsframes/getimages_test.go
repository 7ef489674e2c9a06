package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	control "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

var aNewYear = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// aCamera has an hour of media with a hole in it.
var aCamera = kvstest.Config{Streams: []kvstest.Stream{{
	Name: "front.door", Width: 160, Height: 90, Quota: &kvstest.Quota{}, Media: []kvstest.Range{
		{From: aNewYear, To: aNewYear.Add(30 * time.Second)},
		{From: aNewYear.Add(36 * time.Second), To: aNewYear.Add(time.Hour)},
	},
}}}

// images are the flags of a listing of so many seconds.
func images(seconds int, more ...string) []string {
	return append([]string{
		"get-images", "--stream-name", "front.door", "--image-selector-type", "PRODUCER_TIMESTAMP", "--format", "JPEG",
		"--sampling-interval", "3000", "--start-timestamp", "2026-01-01T00:00:00Z", "--end-timestamp",
		fmt.Sprint(aNewYear.Unix() + int64(seconds)),
	}, more...)
}

type printed struct {
	Images []struct {
		TimeStamp    float64
		Error        string
		ImageContent []byte
		File         string
	}
	NextToken string
}

func list(t *testing.T, u *user, args ...string) (p printed) {
	t.Helper()
	o := u.run(args...)
	if o.status != 0 {
		t.Fatalf("exit status %d: %s", o.status, o.stderr)
	}
	if err := json.Unmarshal([]byte(o.stdout), &p); err != nil {
		t.Fatalf("%v: %s", err, o.stdout)
	}
	return p
}

func TestGetImagesPrints(t *testing.T) {
	u := newUser(t, aCamera)
	o := u.run(images(36, "--max-items", "1", "--starting-token",
		"eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAxMH0=")...)
	want := `{
    "Images": [
        {
            "TimeStamp": 1767225630,
            "Error": "NO_MEDIA"
        }
    ],
    "NextToken": "eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAxMX0="
}
`
	if o.stdout != want {
		t.Errorf("printed\n%s", o.stdout)
	}
	// In parts, all of it: by its own tokens, and by the service's.
	whole := list(t, u, images(297)...)
	if len(whole.Images) != 100 || whole.NextToken != "" {
		t.Fatalf("%d images, then %q", len(whole.Images), whole.NextToken)
	}
	for _, way := range [][3]string{{"--max-items", "33", "--starting-token"}, {"--max-results", "20", "--next-token"}} {
		n, more := 0, []string{way[0], way[1]}
		for {
			part := list(t, u, images(297, more...)...)
			for i, image := range part.Images {
				if same := whole.Images[n+i]; image.TimeStamp != same.TimeStamp ||
					!bytes.Equal(image.ImageContent, same.ImageContent) {
					t.Fatalf("%v: image %d is of %v", way, n+i, image.TimeStamp)
				}
			}
			if n += len(part.Images); part.NextToken == "" {
				break
			}
			more = []string{way[0], way[1], way[2], part.NextToken}
		}
		if n != 100 {
			t.Errorf("%v: %d images", way, n)
		}
	}
}

// Pictures show the stream at the time that is in their names.
func TestGetImagesWritesFilesOfAnyRange(t *testing.T) {
	u := newUser(t, aCamera)
	p := list(t, u, images(900, "--out", "pictures/today")...)
	if len(p.Images) != 301 || p.NextToken != "" {
		t.Fatalf("%d images, then %q", len(p.Images), p.NextToken)
	}
	for i, entry := range p.Images {
		at := aNewYear.Add(time.Duration(i) * 3 * time.Second)
		if i == 10 || i == 11 {
			if entry.Error != "NO_MEDIA" || entry.File != "" {
				t.Errorf("%+v", entry)
			}
			continue
		}
		if want := "front~door_" + at.Format("20060102T150405") + "000Z.jpg"; entry.File != want ||
			entry.ImageContent != nil {
			t.Fatalf("%s, want %s", entry.File, want)
		}
		data, err := os.ReadFile(filepath.Join(u.dir, "pictures/today", entry.File))
		if err != nil {
			t.Fatal(err)
		}
		picture, _, err := image.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		code, err := kvstest.ReadTimecode(picture)
		if err != nil || code.Stream != kvstest.StreamCode("front.door") || !code.Time.Equal(at) {
			t.Fatalf("%s shows %+v, %v", entry.File, code, err)
		}
	}
	if names, err := os.ReadDir(filepath.Join(u.dir, "pictures/today")); err != nil || len(names) != 299 {
		t.Errorf("%d files, %v", len(names), err)
	}
}

func dataEndpoint(t *testing.T, u *user, stream string) string {
	t.Helper()
	found, err := kinesisvideo.NewFromConfig(u.server.AWSConfig()).GetDataEndpoint(t.Context(),
		&kinesisvideo.GetDataEndpointInput{
			StreamName: &stream, APIName: control.APINameGetImages,
		})
	if err != nil {
		t.Fatal(err)
	}
	return *found.DataEndpoint
}

// An endpoint may be of the control plane or of the data plane, by flag or as
// the AWS CLI is told.
func TestGetImagesFindsTheDataEndpoint(t *testing.T) {
	u := newUser(t, aCamera)
	nowhere := u.with("AWS_ENDPOINT_URL=", "AWS_ENDPOINT_URL_KINESIS_VIDEO=")
	data := dataEndpoint(t, u, "front.door")
	for name, c := range map[string]struct {
		by    *user
		flags []string
	}{
		"control, by the environment": {u, nil},
		"control":                     {nowhere, []string{"--endpoint-url", u.server.URL}},
		"data":                        {nowhere, []string{"--endpoint-url", data}},
		"data, by the environment":    {nowhere.with("AWS_ENDPOINT_URL_KINESIS_VIDEO_ARCHIVED_MEDIA=" + data), nil},
	} {
		u.server.ResetStats()
		if p := list(t, c.by, images(30, c.flags...)...); len(p.Images) != 11 {
			t.Errorf("%s: %d images", name, len(p.Images))
		}
		if n := u.server.Stats().GetImagesCalls; n != 1 {
			t.Errorf("%s: %d calls", name, n)
		}
	}
}

func TestGetImagesRefuses(t *testing.T) {
	t.Parallel()
	u := newUser(t, aCamera)
	u.write("file", "")
	other := list(t, u, images(297, "--max-items", "30")...).NextToken
	for name, c := range map[string]struct {
		args  []string
		calls int // to the service: only it can tell
		want  []string
	}{
		"nothing": {
			[]string{"get-images"},
			0,
			[]string{
				"--stream-name is not set, and neither is --stream-arn", "--start-timestamp is not set",
				"--end-timestamp is not set", "--sampling-interval is not set",
			},
		},
		"name and ARN": {
			images(30, "--stream-arn", "arn:aws:kinesisvideo:us-east-1:1:stream/a/1"), 0,
			[]string{"--stream-name is \"front.door\" beside a --stream-arn"},
		},
		"a token that is not base64": {
			images(30, "--starting-token", "not base64"), 0,
			[]string{`--starting-token is "not base64": it must be a resume token, as kvsframes, boto3 and`},
		},
		"base64 of something else": {
			images(30, "--starting-token", "eyJhIjogMX0="), 0,
			[]string{"--starting-token is \"eyJhIjogMX0=\""},
		},
		"a token of 5,000 characters": {
			images(30, "--starting-token", strings.Repeat("A", 5000)), 0,
			[]string{"--starting-token is \"AAA", "1–4096 characters"},
		},
		"a token of another request": {
			images(240, "--starting-token", other), 1,
			[]string{
				"NextToken belongs to a request with other parameters; a token is valid",
				"leave --starting-token out to start again",
			},
		},
		"a token for the one page": {images(240, "--next-token", "AgIC"), 1, []string{"leave --next-token out"}},
		"a short range's in a long range": {
			images(900, "--starting-token", "AgIC"), 0,
			[]string{"--starting-token is of a range of at most 300 s"},
		},
		"max items": {
			images(30, "--max-items", "-1"), 0,
			[]string{`--max-items is "-1": it must be a whole number, 0–`},
		},
		"page sizes": {
			images(30, "--page-size", "0", "--max-items", "x"), 0,
			[]string{`--page-size is "0": it must be a whole number, 1–100`, `--max-items is "x"`},
		},
		"a page too large": {
			images(30, "--page-size", "101"), 0,
			[]string{`--page-size is "101": it must be a whole number, 1–100`},
		},
		"one page and all pages": {
			images(30, "--no-paginate", "--max-items", "3", "--page-size", "3"), 0,
			[]string{"--max-items does not go with --no-paginate", "--page-size does not go"},
		},
		"a lone width": {
			images(30, "--width-pixels", "100"), 0,
			[]string{"--width-pixels is 100 without --height-pixels"},
		},
		"a time": {
			images(30, "--start-timestamp", "1767225600123"), 0,
			[]string{`--start-timestamp is "1767225600123"`, "1767225600.123"},
		},
		"text":             {images(30, "--output", "text"), 0, []string{`--output is "text": it must be json`}},
		"a query":          {images(30, "--query", "Images[0]"), 0, []string{"--query is only in the AWS CLI", "jq"}},
		"a flag of Beam's": {images(30, "--runner", "prism"), 0, []string{"unknown flag --runner"}},
		"no URL": {
			images(30, "--endpoint-url", "localhost"), 0,
			[]string{`--endpoint-url is "localhost": it must be a URL`},
		},
		"nobody there": {images(30, "--endpoint-url", "http://127.0.0.1:1"), 0, []string{"connection refused"}},
		"no such stream": {
			images(30, "--stream-name", "nobody"), 0,
			[]string{"getting the data endpoint of nobody: ResourceNotFoundException"},
		},
		"a folder that is none":  {images(30, "--out", "file"), 0, []string{`--out is "file"`}},
		"no stream for a folder": {images(30, "--stream-name", "nobody", "--out", "new/a"), 0, []string{"nobody"}},
	} {
		u.server.ResetStats()
		o := u.run(c.args...)
		if o.status != exitUsage || o.stdout != "" {
			t.Errorf("%s: exit status %d, %q on stdout", name, o.status, o.stdout)
		}
		for _, want := range append(c.want, "Nothing was done") {
			if !strings.Contains(o.stderr, want) {
				t.Errorf("%s: want %q:\n%s", name, want, o.stderr)
			}
		}
		if n := int(u.server.Stats().GetImagesCalls); n > c.calls {
			t.Errorf("%s: %d calls", name, n)
		}
		if o.took > 20*time.Second {
			t.Errorf("%s took %v", name, o.took)
		}
	}
	if _, err := os.Stat(filepath.Join(u.dir, "new")); err == nil {
		t.Error("a folder was made")
	}
	noRegion := u.with("AWS_REGION=", "AWS_DEFAULT_REGION=").run(images(30)...)
	if noRegion.status != exitUsage || !strings.Contains(noRegion.stderr,
		"no AWS region: set AWS_REGION, or a region in the shared config file, or give --region") {
		t.Errorf("exit status %d: %s", noRegion.status, noRegion.stderr)
	}
}

// TestGetImagesOfNothing: an entry that is null, or empty, stands as the AWS CLI
// prints a null one, is told, and is no success.
func TestGetImagesOfNothing(t *testing.T) {
	t.Parallel()
	u := newUser(t, aCamera)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.URL.Path, "/getDataEndpoint") {
			fmt.Fprintf(w, `{"DataEndpoint":"http://%s"}`, r.Host)
			return
		}
		io.WriteString(w, `{"Images":[{"TimeStamp":1767225600.5,"ImageContent":"aGk="},null,`+
			`{"TimeStamp":1767225606,"Error":"NO_MEDIA"},{}]}`)
	}))
	t.Cleanup(server.Close)
	const want = `{
    "Images": [
        {
            "TimeStamp": 1767225600.5,
            "ImageContent": "aGk="
        },
        null,
        {
            "TimeStamp": 1767225606,
            "Error": "NO_MEDIA"
        },
        null
    ]
}
`
	o := u.run(images(30, "--endpoint-url", server.URL)...)
	const told = "2 of 4 entries of the answer are empty"
	if o.status != exitFailed || o.stdout != want || !strings.Contains(o.stderr, told) {
		t.Errorf("exit status %d: %s%s", o.status, o.stdout, o.stderr)
	}
}

// What the service does wrong is no mistake of who asked.
func TestGetImagesFails(t *testing.T) {
	t.Parallel()
	config := aCamera
	config.Faults = []kvstest.Fault{{Kind: "server_error", Rate: 1}}
	o := newUser(t, config).run(images(30)...)
	if o.status != exitFailed || !strings.Contains(o.stderr, "HTTP 5") && !strings.Contains(o.stderr, "after") {
		t.Errorf("exit status %d: %s", o.status, o.stderr)
	}
}
