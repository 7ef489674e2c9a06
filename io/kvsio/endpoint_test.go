package kvsio_test

import (
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

// TestDataEndpoints: one that cannot be reached is asked for anew, and one that is no
// server's is no endpoint.
func TestDataEndpoints(t *testing.T) {
	for _, test := range []struct {
		answer string
		times  int64
		says   string // empty: all frames come
	}{
		{"http://127.0.0.1:1", 1, ""},
		{"http://no-such-host.invalid", 1, ""},
		{"file:///etc/passwd", 1, ""},
		{"file:///etc/passwd", 1 << 20, "not an http or https URL"},
		{"no endpoint", 1 << 20, "not an http or https URL"},
		{"", 1 << 20, "no endpoint"},
	} {
		t.Run(fmt.Sprint(test.answer, test.times), func(t *testing.T) {
			defer kvsio.AttemptsAtOnce()()
			var asked atomic.Int64
			frames, _, err := fetchBehind(t, time.Minute, func(w http.ResponseWriter, r *http.Request) (answered bool) {
				if !strings.HasSuffix(r.URL.Path, "getDataEndpoint") || asked.Add(1) > test.times {
					return false
				}
				fmt.Fprintf(w, `{"DataEndpoint":%q}`, test.answer)
				return true
			})
			if test.says == "" && (err != nil || frames != 20) ||
				test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%d frames, %v, want %q", frames, err, test.says)
			}
		})
	}
}

// fetchBehind fetches the first minutes of a stream from a stand-in that front stands before:
// it sees all calls, and answers some itself. Gaps are counted by their reasons.
func fetchBehind(t *testing.T, minutes time.Duration, front func(http.ResponseWriter, *http.Request) (answered bool)) (
	frames int, gaps map[string]int, err error,
) {
	t.Helper()
	camera := kvstest.Stream{Name: "cam", Media: day, Quota: noQuota(), Width: 16, Height: 16}
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{camera}})
	defer server.Close()
	behind := before(t, server)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if front(w, r) {
			io.Copy(io.Discard, r.Body)
			return
		}
		if !strings.HasSuffix(r.URL.Path, "getDataEndpoint") {
			behind.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder() // the calls that follow come here, too
		behind.ServeHTTP(answer, r)
		w.WriteHeader(answer.Code)
		io.WriteString(w, strings.ReplaceAll(answer.Body.String(), server.URL, "http://"+r.Host))
	}))
	defer proxy.Close()
	p := paramsOf(server)
	p.AWS.EndpointURL = proxy.URL
	plan, err := kvsio.NewPlan(t.Context(), p, []kvsio.Request{request("cam", newYear, minutes)})
	if err != nil {
		t.Fatal(err)
	}
	gaps = make(map[string]int)
	err = kvsio.FetchAll(t.Context(), p, plan, func(shard frame.Shard) {
		frames += len(shard.Frames)
		for _, gap := range shard.Gaps {
			gaps[gap.Reason]++
		}
	})
	return frames, gaps, err
}
