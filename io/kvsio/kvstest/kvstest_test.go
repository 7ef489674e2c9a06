package kvstest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"io"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	kvtypes "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	archived "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var newYear = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// camera is a stream with an hour of media from newYear on, in small pictures
// and without quota.
func camera(name string) Stream {
	return Stream{
		Name: name, Width: 160, Height: 90, Quota: &Quota{},
		Media: []Range{{From: newYear, To: newYear.Add(time.Hour)}},
	}
}

// fixture is a server and a client for its control plane.
type fixture struct {
	*testing.T
	srv     *Server
	control *kinesisvideo.Client
	known   map[string]string // data endpoints by stream
}

func start(t *testing.T, cfg Config) fixture {
	t.Helper()
	srv := NewServer(cfg)
	t.Cleanup(srv.Close)
	control := kinesisvideo.NewFromConfig(srv.AWSConfig(), func(o *kinesisvideo.Options) { o.Retryer = aws.NopRetryer{} })
	return fixture{t, srv, control, map[string]string{}}
}

// endpoint asks for a stream's data endpoint.
func (f fixture) endpoint(stream string) string {
	f.Helper()
	out, err := f.control.GetDataEndpoint(f.Context(), &kinesisvideo.GetDataEndpointInput{
		StreamName: &stream, APIName: kvtypes.APINameGetImages,
	})
	if err != nil {
		f.Fatal(err)
	}
	return *out.DataEndpoint
}

func (f fixture) client(endpoint string) *archived.Client {
	return archived.NewFromConfig(f.srv.AWSConfig(), func(o *archived.Options) {
		o.BaseEndpoint, o.Retryer = &endpoint, aws.NopRetryer{}
	})
}

// input asks for a minute of a stream from newYear on, one image each 3 s,
// with what change makes of that.
func (f fixture) input(stream string, change ...func(*archived.GetImagesInput)) *archived.GetImagesInput {
	in := &archived.GetImagesInput{
		StreamName: &stream, ImageSelectorType: types.ImageSelectorTypeProducerTimestamp,
		StartTimestamp: aws.Time(newYear), EndTimestamp: aws.Time(newYear.Add(59 * time.Second)),
		SamplingInterval: aws.Int32(3000), Format: types.FormatJpeg,
	}
	for _, c := range change {
		c(in)
	}
	return in
}

func (f fixture) images(stream string, change ...func(*archived.GetImagesInput)) (*archived.GetImagesOutput, error) {
	f.Helper()
	if f.known[stream] == "" {
		f.known[stream] = f.endpoint(stream)
	}
	return f.client(f.known[stream]).GetImages(f.Context(), f.input(stream, change...))
}

func (f fixture) mustImages(stream string, change ...func(*archived.GetImagesInput)) *archived.GetImagesOutput {
	f.Helper()
	out, err := f.images(stream, change...)
	if err != nil {
		f.Fatal(err)
	}
	return out
}

// window sets a request's range, in offsets from newYear.
func window(from, to, interval time.Duration) func(*archived.GetImagesInput) {
	return func(in *archived.GetImagesInput) {
		in.StartTimestamp, in.EndTimestamp = aws.Time(newYear.Add(from)), aws.Time(newYear.Add(to))
		in.SamplingInterval = aws.Int32(int32(interval.Milliseconds()))
	}
}

func pageOf(n int64) func(*archived.GetImagesInput) {
	return func(in *archived.GetImagesInput) { in.MaxResults = &n }
}

func after(token *string) func(*archived.GetImagesInput) {
	return func(in *archived.GetImagesInput) { in.NextToken = token }
}

func codeOf(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// decoded is an image as a client sees it.
func decoded(t testing.TB, img types.Image) image.Image {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(aws.ToString(img.ImageContent))
	if err != nil {
		t.Fatal(err)
	}
	picture, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// signer signs plain HTTP requests; its zero value does it right.
type signer struct {
	key, secret, service, region string
	late                         time.Duration
	change                       func(*http.Request) // after signing
}

func (s signer) do(t *testing.T, url, body string) (int, http.Header, string) {
	t.Helper()
	setDefault(&s.key, "test")
	setDefault(&s.secret, "test")
	setDefault(&s.service, "kinesisvideo")
	setDefault(&s.region, "us-east-1")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	digest := sha256.Sum256([]byte(body))
	who := aws.Credentials{AccessKeyID: s.key, SecretAccessKey: s.secret}
	err = v4.NewSigner().SignHTTP(context.Background(), who, r, hex.EncodeToString(digest[:]), s.service, s.region,
		time.Now().Add(-s.late))
	if err != nil {
		t.Fatal(err)
	}
	if s.change != nil {
		s.change(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

// absent, as a value, takes a member out of a request.
type absent struct{}

// with is a JSON object with some members changed.
func with(base, change map[string]any) string {
	all := maps.Clone(base)
	maps.Copy(all, change)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == absent{} })
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return string(text)
}
