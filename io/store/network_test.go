package store_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/io/store"
)

// testKeys are the credentials of a store that looks at none.
func testKeys(t *testing.T) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_SESSION_TOKEN", "session")
}

// TestStoreBehindAPrivateCA: the CA that the SDK's configuration names vouches
// for S3, too.
func TestStoreBehindAPrivateCA(t *testing.T) {
	testKeys(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request,
	) {
		io.WriteString(w, "hello")
	}))
	defer server.Close()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	root, err := store.At("s3://archive/private?region=us-east-1&endpoint=" + server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := root.Read(t.Context(), "dataset.json", 1<<20); err != nil || string(data) != "hello" {
		t.Errorf("%q, %v", data, err)
	}
}

// TestStoreEndpointWins: an endpoint is called as it is given, whatever the
// environment or the URL says of kinds of endpoints.
func TestStoreEndpointWins(t *testing.T) {
	testKeys(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request,
	) {
		io.WriteString(w, "hello")
	}))
	defer server.Close()
	for i, c := range []struct{ env, query string }{
		{"AWS_USE_FIPS_ENDPOINT", ""},
		{"AWS_USE_FIPS_ENDPOINT", "&fips=false"},
		{"AWS_USE_DUALSTACK_ENDPOINT", ""},
		{"", "&fips=true"},
		{"", "&dualstack=true"},
	} {
		t.Run(c.env+c.query, func(t *testing.T) {
			if c.env != "" {
				t.Setenv(c.env, "true")
			}
			root, err := store.At(fmt.Sprintf("s3://wins%d/p?region=us-east-1%s&endpoint=%s", i, c.query, server.URL))
			if err != nil {
				t.Fatal(err)
			}
			if data, err := root.Read(t.Context(), "dataset.json", 1<<20); err != nil || string(data) != "hello" {
				t.Errorf("%q, %v", data, err)
			}
		})
	}
}

// TestStoreRedirects: no request is sent on, and a bucket's region is told where
// the answer has it.
func TestStoreRedirects(t *testing.T) {
	testKeys(t)
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	var stolen atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer thief.Close()
	for i, c := range []struct {
		status        int
		to, region    string
		body, s3, gcs string // what the errors say
	}{
		{302, thief.URL, "", "", thief.URL, thief.URL},
		{307, thief.URL, "", "", thief.URL, thief.URL},
		{308, thief.URL, "", "", thief.URL, thief.URL},
		{307, thief.URL, "eu-west-1", "", "put region=eu-west-1 into the URL", thief.URL},
		{301, "", "eu-west-1", "<Error><Code>PermanentRedirect</Code></Error>", "put region=eu-west-1 into the URL", ""},
		{301, "", "", "<Error><Code>PermanentRedirect</Code></Error>", "put its region=REGION into the URL", ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if c.to != "" {
				w.Header().Set("Location", c.to)
			}
			if c.region != "" {
				w.Header().Set("X-Amz-Bucket-Region", c.region)
			}
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}))
		for url, want := range map[string]string{
			fmt.Sprintf("s3://redirects%d/p?region=us-east-1&endpoint=%s", i, server.URL): c.s3,
			fmt.Sprintf("gs://redirects%d/p?anonymous=true&endpoint=%s", i, server.URL):   c.gcs,
		} {
			root, err := store.At(url)
			if err != nil {
				t.Fatal(err)
			}
			_, read := root.Read(t.Context(), "dataset.json", 1<<20)
			_, _, list := root.List(t.Context(), "ledger")
			for _, err := range []error{read, list} {
				if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, os.ErrNotExist) {
					t.Errorf("%.20s, HTTP %d to %q: %v, want %q", url, c.status, c.to, err, want)
				}
			}
		}
		server.Close()
	}
	if n := stolen.Load(); n != 0 {
		t.Errorf("%d requests were sent on", n)
	}
}

// TestHalfAListIsAskedForAgain: whatever is left of an answer, the rest of it is
// not taken for nothing.
func TestHalfAListIsAskedForAgain(t *testing.T) {
	testKeys(t)
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	for kind, list := range map[string]string{
		"s3": `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>p/ledger/a</Key><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"a"</ETag><Size>1</Size></Contents></ListBucketResult>`,
		"gs": `{"kind":"storage#objects","items":[{"name":"p/ledger/a","size":"1","updated":"2026-01-01T00:00:00Z"}]}`,
	} {
		for _, length := range []bool{true, false} { // whether HTTP knows that it is half
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				answer := list
				if asked++; asked == 1 {
					answer = list[:len(list)*2/3]
					if length {
						w.Header().Set("Content-Length", fmt.Sprint(len(list)))
					}
				}
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, answer)
			}))
			root, err := store.At(fmt.Sprintf("%s://half-%v/p?endpoint=%s%s", kind, length, server.URL,
				map[string]string{"s3": "&region=us-east-1", "gs": "&anonymous=true"}[kind]))
			if err != nil {
				t.Fatal(err)
			}
			if files, _, err := root.List(t.Context(), "ledger"); err != nil || len(files) != 1 || asked != 2 {
				t.Errorf("%s, %v: %q after %d requests, %v", kind, length, files, asked, err)
			}
			server.Close()
		}
	}
}

// TestStoreAnswersHaveAnEnd: lists and errors without end are given up.
func TestStoreAnswersHaveAnEnd(t *testing.T) {
	testKeys(t)
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	for i, c := range []struct {
		status int
		start  string
		again  string
	}{
		{400, "", "A"},
		{200, "<ListBucketResult>", "<Contents><Key>p/ledger/a</Key><LastModified>2026-01-01T00:00:00Z</LastModified><Size>1</Size></Contents>"},
		{200, `{"items":[`, `{},`},
	} {
		var sent, asked atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(c.status)
			io.WriteString(w, c.start)
			chunk := strings.Repeat(c.again, 4096)
			for range 1 << 14 {
				n, err := io.WriteString(w, chunk)
				if sent.Add(int64(n)); err != nil {
					return
				}
			}
		}))
		for kind, query := range map[string]string{"s3": "&region=us-east-1", "gs": "&anonymous=true"} {
			if mixed := strings.HasPrefix(c.start, "<") != (kind == "s3"); c.status == 200 && mixed {
				continue
			}
			sent.Store(0)
			asked.Store(0)
			root, err := store.At(fmt.Sprintf("%s://end%d/p?endpoint=%s%s", kind, i, server.URL, query))
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = root.List(t.Context(), "ledger")
			var most int64 = httpguard.LongestAnswer
			if kind == "gs" {
				most *= 2 // a page of its lists is longer
			}
			if most = (most + 8<<20) * asked.Load(); err == nil || sent.Load() > most {
				t.Errorf("%s, HTTP %d: %d bytes in %d answers, %v", kind, c.status, sent.Load(), asked.Load(), err)
			}
			var long *httpguard.LongBodyError
			if c.status == 200 && !errors.As(err, &long) {
				t.Errorf("%s, HTTP %d: %v", kind, c.status, err)
			}
		}
		server.Close()
	}
}
