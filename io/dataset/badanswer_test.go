package dataset

import (
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
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

// TestBadAnswersPass: an object that comes back as it is not, once, is read again before
// it counts as damaged, whoever reads it, and nothing is taken away for it.
func TestBadAnswersPass(t *testing.T) {
	t.Parallel()
	shards := []frame.Shard{shardOf(door, 0, "fnfd"), shardOf(door, 4, "ffff")}
	spans := []frame.Span{shards[0].Span, shards[1].Span}
	for kind, body := range badAnswers {
		for _, format := range []string{"webdataset", "parquet", "files"} {
			t.Run(kind+" "+format, func(t *testing.T) {
				onNetworks(t, func(t *testing.T, where func(testing.TB) spot) {
					s := createAt(t, where, Options{Format: format})
					write(t, s.name, shards...)
					if _, err := opened(t, s.name).Finish(t.Context(), FinishOptions{}); err != nil {
						t.Fatal(err)
					}
					want := s.files(t)
					again := func() { s.front.Set(badOnce(s.front, body)) }
					again()
					tallies, err := ledger.Open(s.name).Tally(t.Context(), spans)
					if got := tallies[door]; err != nil || !got.Complete() || got.Frames != 6 {
						t.Errorf("Tally = %+v, %v", got, err)
					}
					again()
					if n, err := ledger.Open(s.name).Discard(t.Context(), spans...); err != nil || n != 0 {
						t.Errorf("Discard = %d, %v", n, err)
					}
					again()
					if asked, err := ledger.Open(s.name).Requests(t.Context()); err != nil || len(asked) != 2 {
						t.Errorf("Requests = %v, %v", asked, err)
					}
					again()
					if _, err := Open(t.Context(), s.name); err != nil {
						t.Errorf("Open: %v", err)
					}
					again()
					index, err := opened(t, s.name).OpenIndex(t.Context())
					if err != nil {
						t.Errorf("OpenIndex: %v", err)
					} else {
						index.Close()
					}
					again()
					if report := verify(t, s.name); !report.Complete || len(report.Problems) > 0 {
						t.Errorf("Verify = %+v", report)
					}
					again()
					report, err := opened(t, s.name).Repair(t.Context(), VerifyOptions{})
					if err != nil || !report.Complete || report.Repaired != 0 {
						t.Errorf("Repair = %+v, %v", report, err)
					}
					again()
					contents, err := opened(t, s.name).Finish(t.Context(), FinishOptions{})
					if err != nil || !contents.Complete || !contents.Card {
						t.Errorf("Catalog = %+v, %v", contents, err)
					}
					s.front.Set(nil)
					equalTrees(t, s.files(t), want, "after bad answers")
				})
			})
		}
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
