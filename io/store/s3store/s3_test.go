package s3store

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/kvsframes/kvsframes/io/store"
	"github.com/kvsframes/kvsframes/io/store/internal/bucket"
)

// A store that does not answer a process is asked a few times.
func TestStoreOutOfReach(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	root, err := store.At("s3://archive/frames?region=us-east-1&endpoint=" + server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.Read(t.Context(), "dataset.json", 1<<20); err == nil ||
		!strings.Contains(err.Error(), "reading s3://archive/frames/dataset.json: ") || asked.Load() != firstAttempts {
		t.Errorf("asked %d times, want %d: %v", asked.Load(), firstAttempts, err)
	}
}

// One that has answered is asked more often: it may be busy.
func TestStoreInReach(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	request, err := http.NewRequest(http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &reached{client: awshttp.NewBuildableClient()}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if n := client.MaxAttempts(); n != bucket.Attempts {
		t.Errorf("%d attempts, want %d", n, bucket.Attempts)
	}
}
