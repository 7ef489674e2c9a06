package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"gocloud.dev/blob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/option"

	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/internal/openfiles"
)

// openGCS makes a client for Google Cloud Storage, with application default
// credentials. STORAGE_EMULATOR_HOST names an emulator, as for all of Google's
// clients, which knows no credentials.
func openGCS(p place) (*blob.Bucket, error) {
	ctx := context.Background()
	query := maps.Clone(p.query)
	emulator := os.Getenv("STORAGE_EMULATOR_HOST")
	anonymous, err := takeBool(query, "anonymous", emulator != "")
	if err != nil {
		return nil, err
	}
	if emulator != "" && !strings.Contains(emulator, "://") {
		emulator = "http://" + emulator
	}
	options := new(gcsblob.Options)
	if endpoint := cmp.Or(query.Get("endpoint"), emulator); endpoint != "" {
		options.ClientOptions = append(options.ClientOptions, option.WithEndpoint(strings.TrimSuffix(endpoint, "/")+"/storage/v1/"))
	}
	if domain := query.Get("universe_domain"); domain != "" {
		options.ClientOptions = append(options.ClientOptions, option.WithUniverseDomain(domain))
	}
	transport := gcsTransport()
	client := gcp.NewAnonymousHTTPClient(transport)
	if !anonymous {
		// Tokens are asked for in the same way, and hold as much.
		ctx := context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: transport})
		credentials, err := gcp.DefaultCredentialsWithParams(ctx, google.CredentialsParams{UniverseDomain: query.Get("universe_domain")})
		if err != nil {
			return nil, fmt.Errorf("no Google credentials: run \"gcloud auth application-default login\", or set GOOGLE_APPLICATION_CREDENTIALS: %w", err)
		}
		if client, err = gcp.NewHTTPClient(transport, credentials.TokenSource); err != nil {
			return nil, err
		}
	}
	bucket, err := gcsblob.OpenBucket(ctx, client, p.bucket, options)
	if err != nil {
		return nil, err
	}
	// All that is written here may be written twice: the same bytes to the same
	// name. Left alone, the client gives such a write one attempt.
	var api *storage.Client
	if bucket.As(&api) {
		api.SetRetry(
			storage.WithPolicy(storage.RetryAlways), storage.WithMaxAttempts(storeAttempts),
			storage.WithBackoff(gax.Backoff{Initial: 500 * time.Millisecond, Max: 20 * time.Second, Multiplier: 2}),
			storage.WithErrorFunc(func(err error) bool {
				var half *json.SyntaxError
				return !openfiles.Exhausted(err) && (storage.ShouldRetry(err) || errors.Is(err, io.EOF) || errors.As(err, &half))
			}),
		)
	}
	return bucket, nil
}

// gcsTransport makes the transport of a store's requests. It is below what adds
// tokens to them, to those of a redirect, too.
func gcsTransport() http.RoundTripper {
	transport := http.DefaultTransport
	if t, ok := transport.(*http.Transport); ok {
		t = t.Clone()
		tune(t)
		transport = t
	}
	return httpguard.New(transport, longestOfGCS)
}

// longestOfGCS limits what is no object: that is as long as it is. A page of
// 1,000 objects has each name five times, and who may do what with it.
func longestOfGCS(r *http.Request) int64 {
	if r.Method == http.MethodGet && !strings.Contains(r.URL.RawQuery, "alt=json") {
		return httpguard.Unlimited
	}
	return 2 * httpguard.LongestAnswer
}

// openMemory makes a bucket that lives as long as the process.
func openMemory() *blob.Bucket { return memblob.OpenBucket(nil) }
