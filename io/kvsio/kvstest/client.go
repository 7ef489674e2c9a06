package kvstest

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// AWSConfig returns a configuration for the Go SDK's control plane client:
// kinesisvideo.NewFromConfig. A client for GetImages needs the data endpoint
// as its BaseEndpoint instead. The HTTP client in it is the server's own: its
// connections end with Close.
func (s *Server) AWSConfig() aws.Config {
	id, secret := s.accessKey()
	return aws.Config{
		Region:       s.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(id, secret, ""),
		BaseEndpoint: aws.String(s.URL),
		HTTPClient:   &http.Client{Transport: wholeBody{s.transport}},
	}
}

// Env returns the environment ("NAME=value") that makes AWS clients in child
// processes use this server.
func (s *Server) Env() []string {
	id, secret := s.accessKey()
	return []string{
		"AWS_REGION=" + s.Region,
		"AWS_DEFAULT_REGION=" + s.Region, // what boto3 and the AWS CLI read
		"AWS_ACCESS_KEY_ID=" + id,
		"AWS_SECRET_ACCESS_KEY=" + secret,
		"AWS_ENDPOINT_URL_KINESIS_VIDEO=" + s.URL,
	}
}

func (s *Server) accessKey() (id, secret string) {
	keys := *s.verifier.keys.Load()
	id = sortedKeys(keys)[0]
	return id, keys[id]
}

// wholeBody gives the transport request bodies that it knows to be in memory.
//
// The SDK closes a request's body once an answer has begun. When net/http is
// not yet done with it by then, which a server on the same machine can be fast
// enough for, it takes the write for failed and closes the connection in the
// middle of the answer.
type wholeBody struct{ transport *http.Transport }

func (t wholeBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return t.transport.RoundTrip(r)
}
