// Package storetest starts stores for tests: buckets in memory, on the loopback, that
// speak S3's language or Google's.
//
// Each is a process of the program in testdata/stores, which is a module of its own. So
// what the stand-ins need is not required of those who use this module.
package storetest

import (
	"encoding/gob"
	"fmt"
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

	mu      sync.Mutex
	ask     io.Writer
	answers *gob.Decoder
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
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // which ends it
		cmd.Wait()
	})
	s := &Store{ask: in, answers: gob.NewDecoder(out)}
	if err := s.answers.Decode(&s.URL); err != nil {
		t.Fatal(err)
	}
	s.Handler = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", strings.TrimPrefix(s.URL, "http://")
			r.Out.Host = r.In.Host
		},
		// Answers pass as they are, and a connection need not be made for each.
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100},
		ErrorLog:  log.New(io.Discard, "", 0), // of clients that a test cuts off
	}
	return s
}

// Objects returns the objects whose names begin with prefix: it maps the rest of the name
// to the content. The network is not used, so nothing that stands before the store takes
// notice.
func (s *Store) Objects(t testing.TB, prefix string) map[string]string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	objects := make(map[string]string)
	fmt.Fprintln(s.ask, prefix)
	if err := s.answers.Decode(&objects); err != nil {
		t.Errorf("asking the store: %v", err)
	}
	return objects
}

// program builds the stores, and returns the path of what is built. The go command
// keeps it for the next test in its cache, linked, as it does all tools.
var program = sync.OnceValues(func() (string, error) {
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
})
