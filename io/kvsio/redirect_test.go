package kvsio_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

// service answers as Kinesis Video Streams does, with its data endpoint at
// itself, and with what images answers for GetImages.
func service(images http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/describeStream", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"StreamInfo":{"StreamARN":"arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/1767225600000","StreamName":"cam","DataRetentionInHours":24}}`)
	})
	mux.HandleFunc("/getDataEndpoint", func(w http.ResponseWriter, r *http.Request) {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		fmt.Fprintf(w, `{"DataEndpoint":"%s://%s"}`, scheme, r.Host)
	})
	mux.HandleFunc("/getImages", images)
	return mux
}

// getImages makes one call of GetImages, and those before it.
func getImages(t *testing.T, p kvsio.AWSParams) error {
	t.Helper()
	paginator, err := kvsio.NewPaginator(t.Context(), kvsio.PaginatorParams{AWS: p}, &media.GetImagesInput{
		StreamName: aws.String("cam"), ImageSelectorType: types.ImageSelectorTypeProducerTimestamp,
		StartTimestamp: aws.Time(newYear),
		EndTimestamp:   aws.Time(newYear.Add(time.Minute)), SamplingInterval: aws.Int32(3000), Format: types.FormatJpeg,
	}, kvsio.PaginationConfig{})
	if err != nil {
		return err
	}
	_, err = paginator.NextPage(t.Context())
	return err
}

// TestNoCallIsSentOn: of no call does the host learn that a redirect names, and
// the error names both hosts.
func TestNoCallIsSentOn(t *testing.T) {
	var stolen atomic.Value
	stolen.Store("")
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		stolen.Store(fmt.Sprint(r.Method, " ", r.URL, " ", r.Header, " ", string(body)))
		io.WriteString(w, `{"Images":[]}`)
	}))
	defer thief.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a web identity"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := []string{
		"AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=session",
		"AWS_REGION=us-east-1",
	}
	images := func(p kvsio.AWSParams) error { return getImages(t, p) }
	check := func(p kvsio.AWSParams) error {
		_, err := kvsio.Check(t.Context(), kvsio.ReadParams{AWS: p}, []kvsio.Request{request("cam", newYear, time.Minute)})
		return err
	}
	resolve := func(p kvsio.AWSParams) error { _, err := kvsio.ResolveAWS(t.Context(), p); return err }
	for _, c := range []struct {
		name string
		path string   // of what is redirected; "": all
		env  []string // URL is where the server is
		aws  kvsio.AWSParams
		call func(kvsio.AWSParams) error
	}{
		{"GetImages", "/getImages", keys, kvsio.AWSParams{EndpointURL: "URL"}, images},
		{"GetDataEndpoint", "/getDataEndpoint", keys, kvsio.AWSParams{EndpointURL: "URL"}, check},
		{"DescribeStream", "/describeStream", keys, kvsio.AWSParams{EndpointURL: "URL"}, check},
		{"AssumeRole", "", keys, kvsio.AWSParams{RoleARN: reader, STSEndpointURL: "URL"}, resolve},
		{
			"a web identity of Google's", "",
			[]string{"AWS_REGION=us-east-1", "GCE_METADATA_HOST=HOST"},
			kvsio.AWSParams{WebIdentity: "gcp", RoleARN: reader, STSEndpointURL: "URL"},
			resolve,
		},
		{"a web identity in a file", "", []string{
			"AWS_REGION=us-east-1", "AWS_ROLE_ARN=" + reader,
			"AWS_WEB_IDENTITY_TOKEN_FILE=" + token, "AWS_ENDPOINT_URL_STS=URL",
		}, kvsio.AWSParams{}, resolve},
		{"a container's credentials", "", []string{
			"AWS_REGION=us-east-1", "AWS_CONTAINER_CREDENTIALS_FULL_URI=URL/creds",
			"AWS_CONTAINER_AUTHORIZATION_TOKEN=secret",
		}, kvsio.AWSParams{}, resolve},
		{"a machine's credentials", "", []string{
			"AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=false",
			"AWS_EC2_METADATA_SERVICE_ENDPOINT=URL",
		}, kvsio.AWSParams{}, resolve},
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(fmt.Sprint(c.name, " ", status), func(t *testing.T) {
				good := service(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"Images":[]}`) })
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if c.path != "" && r.URL.Path != c.path {
						good.ServeHTTP(w, r)
						return
					}
					http.Redirect(w, r, thief.URL+"/take?me", status)
				}))
				defer server.Close()
				machine(t)
				for _, entry := range c.env {
					name, value, _ := strings.Cut(entry, "=")
					t.Setenv(name, strings.NewReplacer("URL", server.URL, "HOST",
						strings.TrimPrefix(server.URL, "http://")).Replace(value))
				}
				p := c.aws
				if p.EndpointURL != "" {
					p.EndpointURL = server.URL
				}
				if p.STSEndpointURL != "" {
					p.STSEndpointURL = server.URL
				}
				err := c.call(p)
				if err == nil || !strings.Contains(err.Error(), server.URL) || !strings.Contains(err.Error(), thief.URL) {
					t.Errorf("the error is %v", err)
				}
				if s := stolen.Swap(""); s != "" {
					t.Errorf("sent on: %s", s)
				}
			})
		}
	}
}
