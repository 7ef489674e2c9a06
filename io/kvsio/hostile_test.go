package kvsio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/lift"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pace"
)

// once is a call of the control plane with one attempt.
var once = attempts{most: 1}

// TestAnswersHaveAnEnd: whatever a server sends without end, little of it is
// read, less is kept, and the error says so.
func TestAnswersHaveAnEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		text   string // at the beginning
		again  string // without end
	}{
		{"an error", 400, `{"Message":"`, "A"},
		{"an error that is no JSON", 403, "<html>", "<br>"},
		{"a text", 200, `{"StreamInfo":{"StreamARN":"`, "A"},
		{"entries", 200, `{"Images":[`, "{},"},
		{"entries of something else", 200, `{"StreamInfo":[`, "{},"},
		{"what follows an answer", 200, `{"Images":[],"DataEndpoint":"http://x","StreamInfo":{"StreamARN":"arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/1767225600000"}}`, " "},
	} {
		var sent atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(c.status)
			io.WriteString(w, c.text)
			chunk := strings.Repeat(c.again, 32<<10)
			for sent.Load() < 2<<30 {
				n, err := io.WriteString(w, chunk)
				if sent.Add(int64(n)); err != nil {
					return
				}
			}
		}))
		calls := callsTo(t, server.URL)
		clients := newClients(benchConfig, AWSParams{EndpointURL: server.URL}, 1)
		calls.engine.clients.control = clients.control
		for api, call := range map[string]func() error{
			"GetImages":      func() error { _, _, err := callOnce(t.Context(), calls, server.URL); return err },
			"DescribeStream": func() error { _, err := calls.engine.describe(t.Context(), calls.stream.key, once); return err },
			"GetDataEndpoint": func() error {
				_, err := calls.engine.imagesEndpoint(t.Context(), &reading{stream: newStream(calls.stream.key, nil, nil)}, once)
				return err
			},
		} {
			var before, after runtime.MemStats
			sent.Store(0)
			runtime.ReadMemStats(&before)
			err := call()
			runtime.ReadMemStats(&after)
			wellFormed := c.name == "what follows an answer"
			var long *httpguard.LongBodyError
			if isLong := errors.As(err, &long) || errors.Is(err, lift.ErrLongBody); !isLong && !wellFormed ||
				isLong && judge(err) != again {
				t.Errorf("%s, %s: %v", api, c.name, err)
			}
			if err != nil && !strings.Contains(plain(err).Error(), "is longer than") {
				t.Errorf("%s, %s: what is shown is %v", api, c.name, plain(err))
			}
			const mostSent, mostKept = 32 << 20, 64 << 20 // buffers of two sockets, and ours
			if kept := after.TotalAlloc - before.TotalAlloc; sent.Load() > mostSent || kept > mostKept {
				t.Errorf("%s, %s: %d MB were sent and %d MB allocated", api, c.name, sent.Load()>>20, kept>>20)
			}
		}
		clients.close()
		server.Close()
	}
}

// TestMoreEntriesThanAskedFor: a few are put in, many are no answer.
func TestMoreEntriesThanAskedFor(t *testing.T) {
	for n, want := range map[int]bool{
		pace.PageSize: true, pace.PageSize + 8: true, pace.PageSize + 9: false,
		10_000: false,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, `{"Images":[{}%s]}`, strings.Repeat(",{}", n-1))
		}))
		answers, _, err := callOnce(context.Background(), callsTo(t, server.URL), server.URL)
		if ok := err == nil && len(answers) == n; ok != want || err != nil && judge(err) != again {
			t.Errorf("%d entries: %d answers, %v", n, len(answers), err)
		}
		server.Close()
	}
}
