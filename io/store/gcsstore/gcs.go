// Package gcsstore makes gs:// places known to [store.At]: import it for its effect. They
// are those of Google Cloud Storage. Package store documents the URLs.
package gcsstore

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
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/io/store"
	"github.com/kvsframes/kvsframes/io/store/internal/bucket"
)

// firstWait is the longest pause before the second attempt; each is twice the one before.
// Tests have a shorter one.
var firstWait = usualWait

const usualWait = 500 * time.Millisecond

func init() {
	store.Register("gs", store.Driver{
		Query: []string{"endpoint", "anonymous", "universe_domain"},
		Open:  func(p store.Place) (store.Bucket, error) { return bucket.Open(p, connect) },
	})
}

// connect makes a client for Google Cloud Storage, with application default
// credentials. STORAGE_EMULATOR_HOST names an emulator, as for all of Google's
// clients, which knows no credentials.
func connect(p store.Place) (*bucket.Client, error) {
	ctx := context.Background()
	query := maps.Clone(p.Query)
	emulator := os.Getenv("STORAGE_EMULATOR_HOST")
	anonymous, err := bucket.TakeBool(query, "anonymous", emulator != "")
	if err != nil {
		return nil, err
	}
	if emulator != "" && !strings.Contains(emulator, "://") {
		emulator = "http://" + emulator
	}
	options := new(gcsblob.Options)
	if endpoint := cmp.Or(query.Get("endpoint"), emulator); endpoint != "" {
		options.ClientOptions = append(options.ClientOptions,
			option.WithEndpoint(strings.TrimSuffix(endpoint, "/")+"/storage/v1/"))
	}
	if domain := query.Get("universe_domain"); domain != "" {
		options.ClientOptions = append(options.ClientOptions, option.WithUniverseDomain(domain))
	}
	transport := gcsTransport()
	client := gcp.NewAnonymousHTTPClient(transport)
	if !anonymous {
		// Tokens are asked for in the same way, and hold as much.
		ctx := context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: transport})
		credentials, err := gcp.DefaultCredentialsWithParams(ctx,
			google.CredentialsParams{UniverseDomain: query.Get("universe_domain")})
		if err != nil {
			return nil, fmt.Errorf("no Google credentials: run \"gcloud auth application-default login\", or set "+
				"GOOGLE_APPLICATION_CREDENTIALS: %w", err)
		}
		if client, err = gcp.NewHTTPClient(transport, credentials.TokenSource); err != nil {
			return nil, err
		}
	}
	opened, err := gcsblob.OpenBucket(ctx, client, p.Bucket, options)
	if err != nil {
		return nil, err
	}
	// All that is written here may be written twice: the same bytes to the same
	// name. Left alone, the client gives such a write one attempt.
	var api *storage.Client
	if opened.As(&api) {
		api.SetRetry(
			storage.WithPolicy(storage.RetryAlways), storage.WithMaxAttempts(bucket.Attempts),
			storage.WithBackoff(gax.Backoff{Initial: firstWait, Max: 20 * time.Second, Multiplier: 2}),
			storage.WithErrorFunc(func(err error) bool {
				var half *json.SyntaxError
				return !httpguard.OutOfFiles(err) &&
					(storage.ShouldRetry(err) || errors.Is(err, io.EOF) || errors.As(err, &half) || errors.Is(err, errNoList))
			}),
		)
	}
	return &bucket.Client{Bucket: opened, Answer: answerOf, Between: between}, nil
}

// gcsTransport makes the transport of a store's requests. It is below what adds
// tokens to them, to those of a redirect, too.
func gcsTransport() http.RoundTripper {
	transport := http.DefaultTransport
	if t, ok := transport.(*http.Transport); ok {
		t = t.Clone()
		bucket.Tune(t)
		transport = t
	}
	return trueLists{httpguard.New(transport, longestOfGCS)}
}

// longestOfGCS limits what is no object: that is as long as it is. A page of
// 1,000 objects has each name five times, and who may do what with it.
func longestOfGCS(r *http.Request) int64 {
	if r.Method == http.MethodGet && !strings.Contains(r.URL.RawQuery, "alt=json") {
		return httpguard.Unlimited
	}
	return 2 * httpguard.LongestAnswer
}

// answerOf reads the HTTP status and the service's words out of an error.
func answerOf(err error) bucket.Answer {
	var answered *googleapi.Error
	if !errors.As(err, &answered) {
		return bucket.Answer{}
	}
	return bucket.Answer{Status: answered.Code, Reason: answered.Message}
}
