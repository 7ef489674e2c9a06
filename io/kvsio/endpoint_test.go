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

	"github.com/kvsframes/kvsframes/io/framepb"
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
		{"file:///etc/passwd", 1 << 20, "no URL of a server"},
		{"no endpoint", 1 << 20, "no URL of a server"},
		{"", 1 << 20, "no endpoint"},
	} {
		t.Run(fmt.Sprint(test.answer, test.times), func(t *testing.T) {
			defer kvsio.AttemptsAtOnce()()
			server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota(), Width: 16, Height: 16}}})
			defer server.Close()
			behind := before(t, server)
			var asked atomic.Int64
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "getDataEndpoint") && asked.Add(1) <= test.times {
					io.Copy(io.Discard, r.Body)
					fmt.Fprintf(w, `{"DataEndpoint":%q}`, test.answer)
					return
				}
				behind.ServeHTTP(w, r)
			}))
			defer front.Close()
			p := paramsOf(server)
			p.AWS.EndpointURL = front.URL
			plan, err := kvsio.NewPlan(t.Context(), p, []kvsio.Request{request("cam", newYear, time.Minute)})
			if err != nil {
				t.Fatal(err)
			}
			frames := 0
			err = kvsio.FetchAll(t.Context(), p, plan, func(shard framepb.Shard) { frames += len(shard.Frames) })
			if test.says == "" && (err != nil || frames != 20) || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%d frames, %v, want %q", frames, err, test.says)
			}
		})
	}
}
