package pack

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/kvsframes/kvsframes/internal/storetest"
)

// badAnswers are what may come in place of an object once, and is whole to HTTP.
var badAnswers = map[string]func(body []byte) []byte{
	"half":  func(body []byte) []byte { return body[:len(body)/2] },
	"empty": func([]byte) []byte { return nil },
	"html":  func([]byte) []byte { return []byte("<html>captive</html>") },
}

// badOnce answers the first request for each object with another body.
func badOnce(behind http.Handler, body func([]byte) []byte) http.Handler {
	var seen sync.Map
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, before := seen.LoadOrStore(r.URL.Path, true)
		if r.Method != http.MethodGet || r.URL.Query().Has("list-type") || before {
			behind.ServeHTTP(w, r)
			return
		}
		whole := httptest.NewRecorder()
		behind.ServeHTTP(whole, r)
		answer := whole.Body.Bytes()
		if whole.Code < 300 {
			answer = body(answer)
		} else {
			for name, values := range whole.Header() {
				w.Header()[name] = values
			}
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		if whole.Code >= 300 {
			w.WriteHeader(whole.Code)
		}
		w.Write(answer)
	})
}

// TestBadAnswersPass: an object that comes back as it is not, once, is read again before it
// counts as damaged, by who plans, packs and opens a set.
func TestBadAnswersPass(t *testing.T) {
	for kind, body := range badAnswers {
		t.Run(kind, func(t *testing.T) {
			behind := storetest.S3(t, "bucket")
			at := func(name string, handler http.Handler) string {
				server := httptest.NewServer(handler)
				t.Cleanup(server.Close)
				return "s3://bucket/" + name + "?region=us-east-1&endpoint=" + server.URL
			}
			dir := createAt(t, at("frames", behind), "webdataset")
			write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ffff"))
			plan := planned(t, at("frames", badOnce(behind, body)), Options{})
			if plan.Set.Frames != 6 || plan.Missing != 0 {
				t.Errorf("%d frames, %d missing", plan.Set.Frames, plan.Missing)
			}
			if err := packByHand(plan, at("frames", badOnce(behind, body)), filepath.Join(t.TempDir(), "set"), nil); err != nil {
				t.Errorf("packing: %v", err)
			}
			if err := plan.Create(t.Context(), at("set", behind)); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), at("set", badOnce(behind, body))); err != nil {
				t.Errorf("opening: %v", err)
			}
		})
	}
}
