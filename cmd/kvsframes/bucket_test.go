//go:build e2e || readers

package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/kvsframes/kvsframes/internal/storetest"
)

// bucket is a bucket of a store on a network.
type bucket struct {
	t    *testing.T
	out  string                   // a place in it
	tree func() map[string]string // every object below the place with its content
}

// newBucket makes one of a store that speaks S3's language.
func newBucket(t *testing.T) bucket {
	return newBucketBehind(t, func(store http.Handler) http.Handler { return store })
}

// generic sets the user up as many are: the endpoint of Kinesis Video Streams is
// the only one that the environment names.
func generic(u *user) *user {
	return u.with("AWS_ENDPOINT_URL_KINESIS_VIDEO", "AWS_ENDPOINT_URL="+u.server.URL)
}

// newBucketBehind has something stand before the store.
func newBucketBehind(t *testing.T, front func(http.Handler) http.Handler) bucket {
	t.Helper()
	store := storetest.S3(t, "archive")
	server := httptest.NewServer(front(store))
	t.Cleanup(server.Close)
	return bucket{t, "s3://archive/frames?region=eu-west-1&endpoint=" + server.URL, func() map[string]string {
		return store.Objects(t, "frames/")
	}}
}

// newGoogleBucket makes one of a store that speaks Google's.
func newGoogleBucket(t *testing.T) bucket {
	t.Helper()
	store := storetest.Google(t, "archive", "")
	return bucket{t, "gs://archive/frames?anonymous=true&endpoint=" + store.URL, func() map[string]string {
		return store.Objects(t, "frames/")
	}}
}
