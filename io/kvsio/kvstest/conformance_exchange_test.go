//go:build conformance

package kvstest

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the exchanges in testdata/exchanges")

// exchange is a request and its answer, as they went over the wire.
type exchange struct {
	request  *http.Request
	body     []byte
	status   int
	header   http.Header
	answered []byte
}

// tape keeps the exchanges that it lets through.
type tape struct {
	next http.HandlerFunc
	skew time.Duration // of the clock that the answers show

	mu        sync.Mutex
	exchanges []exchange
}

func (t *tape) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	t.next(answer, r)
	t.mu.Lock()
	t.exchanges = append(t.exchanges, exchange{r, body, answer.Code, answer.Header(), answer.Body.Bytes()})
	t.mu.Unlock()
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Date", time.Now().Add(t.skew).UTC().Format(http.TimeFormat))
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// taken returns the exchanges since it was called last.
func (t *tape) taken() []exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.exchanges
	t.exchanges = nil
	return taken
}

// What differs from run to run, and pictures.
var changing = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`/[\w-]{40,}`), "/(token)"},
	{regexp.MustCompile(`http://127.0.0.1:\d+`), "http://(host)"},
	{regexp.MustCompile(`("NextToken": ?)"[^"]+"`), `$1"(token)"`},
	{regexp.MustCompile(`"ImageContent":"[^"]+"`), `"ImageContent":"(picture)"`},
	{regexp.MustCompile(`/\d{8}/`), "/(date)/"},
	{regexp.MustCompile(`Signature=\w+`), "Signature=(signature)"},
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "(id)"},
}

// String is the exchange without what changes, and without the headers that
// make no difference to the stand-in.
func (e exchange) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", e.request.Method, e.request.URL.RequestURI())
	writeHeaders(&b, e.request.Header, "Content-Type", "Authorization")
	fmt.Fprintf(&b, "\n%s\n\n%d %s\n", e.body, e.status, http.StatusText(e.status))
	writeHeaders(&b, e.header, "Content-Type", "X-Amzn-Errortype", "X-Amzn-Requestid")
	fmt.Fprintf(&b, "\n%s\n\n", e.answered)
	text := b.String()
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.text)
	}
	return text
}

func writeHeaders(w io.Writer, h http.Header, names ...string) {
	for _, name := range names {
		for _, value := range h.Values(name) {
			fmt.Fprintf(w, "%s: %s\n", name, value)
		}
	}
}

// golden is a client's file of exchanges, each under its scenario's name.
type golden struct {
	path string
	want map[string]string // by scenario
	got  strings.Builder
}

func openGolden(t *testing.T, client string) *golden {
	t.Helper()
	g := &golden{path: "../../../testdata/exchanges/" + client + ".http", want: map[string]string{}}
	text, err := os.ReadFile(g.path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(string(text), headline) {
		name, _, _ := strings.Cut(block, "\n")
		g.want[name] += headline + block
	}
	return g
}

const headline = "### "

// check holds a scenario's exchanges against the file.
func (g *golden) check(t *testing.T, scenario string, exchanges []exchange) {
	t.Helper()
	var got strings.Builder
	for _, e := range exchanges {
		fmt.Fprintf(&got, "%s%s\n%s", headline, scenario, e)
	}
	g.got.WriteString(got.String())
	if want := g.want[scenario]; !*update && got.String() != want {
		t.Errorf("not as in %s (-update rewrites it)\ngot\n%s\nwant\n%s", g.path, got.String(), want)
	}
}

func (g *golden) rewrite(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(g.path, []byte(g.got.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
