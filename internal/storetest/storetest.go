// Package storetest starts stores for tests: buckets in memory, on the loopback, that
// speak S3's language or Google's.
//
// The program in testdata/stores, which is a module of its own, runs them. So what the
// stand-ins need is not required of those who use this module.
package storetest

import (
	"encoding/gob"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Store is a store with one bucket, which is empty at first. It ends with the test.
type Store struct {
	http.Handler // the store, for what a test has stand before it
	URL          string

	of *program
}

// S3 starts a store that speaks S3's language.
func S3(t testing.TB, bucket string) *Store {
	t.Helper()
	return start(t, "s3", bucket)
}

// Google starts a store that speaks Google's, and tells its clients where an upload goes
// on. Where a server stands before it, that is url, the server's; else url is empty.
func Google(t testing.TB, bucket, url string) *Store {
	t.Helper()
	return start(t, "gs", bucket, url)
}

func start(t testing.TB, args ...string) *Store {
	t.Helper()
	of, err := running()
	if err != nil {
		t.Fatal(err)
	}
	s := &Store{of: of}
	if err := of.ask(&s.URL, args...); err != nil {
		t.Fatalf("starting a store: %v", err)
	}
	// Answers pass as they are, and a connection need not be made for each.
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100}
	s.Handler = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", strings.TrimPrefix(s.URL, "http://")
			r.Out.Host = r.In.Host
		},
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0), // of clients that a test cuts off
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := of.ask(new(bool), "end", s.URL); err != nil {
			t.Errorf("ending a store: %v", err)
		}
	})
	return s
}

// Objects returns the objects whose names begin with prefix: it maps the rest of the name
// to the content. The network is not used, so nothing that stands before the store takes
// notice.
func (s *Store) Objects(t testing.TB, prefix string) map[string]string {
	t.Helper()
	objects := make(map[string]string)
	if err := s.of.ask(&objects, "objects", s.URL, prefix); err != nil {
		t.Errorf("asking the store: %v", err)
	}
	return objects
}

// program is the process that runs the stores of all tests of this one: to start a
// process for each would take longer than most tests. It ends with this one, when the
// pipe to it closes.
type program struct {
	mu      sync.Mutex
	orders  *gob.Encoder
	answers *gob.Decoder
}

// ask has the program obey an order, and reads its answer.
func (p *program) ask(answer any, order ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.orders.Encode(order); err != nil {
		return err
	}
	return p.answers.Decode(answer)
}

// running returns the program, which starts when the first store does.
var running = sync.OnceValues(func() (*program, error) {
	path, err := build()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &program{orders: gob.NewEncoder(in), answers: gob.NewDecoder(out)}, nil
})

// build builds the stores, and returns the path of what is built. The go command keeps
// it for the next test in its cache, linked, as it does all tools.
func build() (string, error) {
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(filepath.Dir(string(mod)), "testdata", "stores")
	if _, err := os.ReadDir(folder); err != nil { // so go test runs tests again after a change there
		return "", err
	}
	cmd := exec.Command("go", "tool", "-C", folder, "-n", "stores")
	cmd.Env = append(os.Environ(), "GOWORK=off") // a workspace need not know stores
	cmd.Stderr = os.Stderr
	path, err := cmd.Output()
	return strings.TrimSpace(string(path)), err
}
