package dataset

import (
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"testing"

	"github.com/kvsframes/kvsframes/io/internal/placetest"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// badAnswers are what may come in place of an object once, and is whole to HTTP.
var badAnswers = map[string]func(body []byte) []byte{
	"half":  func(body []byte) []byte { return body[:len(body)/2] },
	"empty": func([]byte) []byte { return nil },
	"html":  func([]byte) []byte { return []byte("<html>captive</html>") },
}

// badOnce answers the first request for each object with another body.
func badOnce(f *placetest.Front, body func([]byte) []byte) func(http.ResponseWriter, *http.Request) bool {
	first := once()
	return func(w http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		isList := query.Get("list-type") != "" || query.Get("alt") == "json"
		if r.Method != http.MethodGet || isList || !first(r) {
			return false
		}
		whole := &recorded{header: make(http.Header)}
		f.Behind.ServeHTTP(whole, r)
		if whole.status >= 300 { // there is none
			for name, values := range whole.header {
				w.Header()[name] = values
			}
			w.WriteHeader(whole.status)
			w.Write(whole.body.Bytes())
			return true
		}
		bad := body(whole.body.Bytes())
		w.Header().Set("Content-Length", strconv.Itoa(len(bad)))
		w.Write(bad)
		return true
	}
}

// TestDamageStays: what is damaged whenever it is read counts, in a bucket too.
func TestDamageStays(t *testing.T) {
	t.Parallel()
	onNetworks(t, func(t *testing.T, where func(testing.TB) spot) {
		s := createAt(t, where, Options{})
		write(t, s.name, shardOf(door, 0, "ff"))
		s.front.Set(func(w http.ResponseWriter, r *http.Request) bool {
			return badOnce(s.front, badAnswers["half"])(w, r) // each time the first one
		})
		var damaged *ledger.DamagedError
		_, err := ledger.Open(s.name).Read(t.Context(), ledger.Entry{Span: shardOf(door, 0, "ff").Span})
		if !errors.As(err, &damaged) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Ask: %v", err)
		}
		if _, err := Open(t.Context(), s.name); !errors.Is(err, ErrForeign) {
			t.Errorf("Open: %v", err)
		}
	})
}
