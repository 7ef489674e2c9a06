package kvsio_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// A service whose pages do not end has not answered: a job fails, and a
// paginator returns an error, after few calls.
func TestPagesWithoutEnd(t *testing.T) {
	const mostCalls = 200
	for name, page := range map[string]func(call int64, token string) (images int, next string){
		"two tokens in turn": func(_ int64, token string) (int, string) {
			return 5, map[string]string{"": "AAAA", "AAAA": "BBBB", "BBBB": "AAAA"}[token]
		},
		"one token":   func(int64, string) (int, string) { return 5, "AAAA" },
		"empty pages": func(call int64, _ string) (int, string) { return 0, fmt.Sprintf("%04d", call) },
		"new tokens":  func(call int64, _ string) (int, string) { return 5, fmt.Sprintf("%04d", call) },
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int64
			var url string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/getDataEndpoint" {
					io.Copy(io.Discard, r.Body)
					fmt.Fprintf(w, `{"DataEndpoint":%q}`, url)
					return
				}
				var in struct{ NextToken string }
				json.NewDecoder(r.Body).Decode(&in)
				n, next := page(calls.Add(1), in.NextToken)
				images := make([]map[string]any, n)
				for i := range images {
					images[i] = map[string]any{"TimeStamp": newYear.Unix() + int64(3*i), "Error": "NO_MEDIA"}
				}
				json.NewEncoder(w).Encode(map[string]any{"Images": images, "NextToken": next})
			}))
			defer server.Close()
			url = server.URL
			p := kvsio.ReadParams{
				AWS:        kvsio.AWSParams{EndpointURL: url, Region: "us-east-1"},
				CallParams: kvsio.CallParams{StreamQuota: kvsio.UnknownQuota},
			}
			plan, err := kvsio.NewPlan(t.Context(), p, []kvsio.Request{request("cam", newYear, 5*time.Minute)})
			if err != nil {
				t.Fatal(err)
			}
			err = kvsio.FetchAll(t.Context(), p, plan, func(frame.Shard) {})
			if n := calls.Swap(0); err == nil || !strings.Contains(err.Error(), "nothing new") || n > mostCalls {
				t.Errorf("the source: %v, after %d calls", err, n)
			}
			pages, err := kvsio.NewPaginator(t.Context(), pagesOf(p), imagesInput("cam", 300), kvsio.PaginationConfig{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = pages.BuildFullResult(t.Context())
			if n := calls.Load(); err == nil || n > mostCalls || pages.HasMorePages() {
				t.Errorf("the paginator: %v, after %d calls", err, n)
			}
		})
	}
}

// A range before what a stream keeps is refused, with a 400 or a 404: the stream
// has what it has all the same.
func TestRangesBeforeRetention(t *testing.T) {
	for _, refusal := range []string{"no_media", "invalid_argument", "not_found"} {
		t.Run(refusal, func(t *testing.T) {
			server := kvstest.NewServer(kvstest.Config{
				BeforeRetention: refusal, Now: func() time.Time { return newYear.Add(3 * time.Hour) },
				Streams: []kvstest.Stream{{
					Name: "cam", Media: day, Quota: noQuota(), Width: 16, Height: 16,
					Retention: new(time.Hour),
				}},
			})
			defer server.Close()
			p := paramsOf(server)
			p.ClockSkew = time.Until(newYear.Add(3 * time.Hour))
			frames, gaps := run(t, "direct", p, request("cam", newYear.Add(time.Hour), 2*time.Hour))
			if len(frames) != 1200 || len(gaps) != 1200 {
				t.Errorf("%d frames and %d gaps, want 1200 of each", len(frames), len(gaps))
			}
			for _, g := range gaps {
				if g.Reason != frame.OutOfRetention {
					t.Fatalf("%+v", g)
				}
			}
			if n := server.Stats().DescribeStreamCalls; n > 1 {
				t.Errorf("the stream was described %d times", n)
			}
		})
	}
}

// A 404 for a range that the stream keeps is believed where it says that nothing lies
// there, time and again. Any other is passing: it is no word of the stream's retention.
func TestNotFoundInRetention(t *testing.T) {
	typed := func(message string) func(w http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, `{"message":%q}`, message)
		}
	}
	html := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "<html>no such page</html>")
	}
	nothing, gone := typed("No fragments found in the stream for the request."),
		typed("The requested stream is not found or not active.")
	for _, test := range []struct {
		name    string
		refuse  func(http.ResponseWriter)
		times   int64
		reasons string // of the gaps; none: there are frames
		failed  bool
	}{
		{"nothing there, in passing", nothing, 6, "", false},
		{"nothing there", nothing, 1 << 20, frame.NoMedia, false},
		{"not active, in passing", gone, 6, "", false},
		{"not active", gone, 1 << 20, "", true},
		{"a proxy's, in passing", html, 6, "", false},
		{"a proxy's", html, 1 << 20, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer kvsio.AttemptsAtOnce()()
			var refused atomic.Int64
			frames, reasons, err := fetchBehind(t, 2*time.Minute, func(w http.ResponseWriter, r *http.Request) (answered bool) {
				if !strings.Contains(r.URL.Path, "getImages") || refused.Add(1) > test.times {
					return false
				}
				test.refuse(w)
				return true
			})
			if test.failed != (err != nil) || err == nil && (frames == 40) != (test.reasons == "") ||
				test.reasons != "" && reasons[test.reasons] != 40 {
				t.Errorf("%d frames, gaps %v, %v", frames, reasons, err)
			}
		})
	}
}
