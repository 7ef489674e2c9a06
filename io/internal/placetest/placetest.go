// Package placetest makes places for tests: a new one of each kind that package store knows,
// with nothing in it.
package placetest

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kvsframes/kvsframes/internal/storetest"
	"github.com/kvsframes/kvsframes/io/store"
	_ "github.com/kvsframes/kvsframes/io/store/gcsstore"
	_ "github.com/kvsframes/kvsframes/io/store/memstore"
	_ "github.com/kvsframes/kvsframes/io/store/s3store"
)

func init() {
	os.Setenv("AWS_ACCESS_KEY_ID", "test")
	os.Setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
	os.Setenv("AWS_CA_BUNDLE", "")                      // the stores speak plain HTTP, and reading it takes long
	os.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1") // of another service
}

// Front stands before a store and does what a test asks for.
type Front struct {
	mu     sync.Mutex
	meet   func(w http.ResponseWriter, r *http.Request) bool // answers itself, where true
	Behind http.Handler                                      // the store
}

func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	meet := f.meet
	f.mu.Unlock()
	if meet != nil && meet(w, r) {
		return
	}
	f.Behind.ServeHTTP(w, r)
}

// Set makes the front do something; nil: nothing.
func (f *Front) Set(meet func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.meet = meet
}

// Kinds make a place of each kind. The front is of a store on a network.
var Kinds = map[string]func(testing.TB) (name string, front *Front){
	"folder": func(t testing.TB) (string, *Front) { return filepath.Join(t.TempDir(), "new"), nil },
	"file":   func(t testing.TB) (string, *Front) { return "file://" + filepath.Join(t.TempDir(), "new"), nil },
	"mem":    func(testing.TB) (string, *Front) { return "mem://" + rand.Text() + "/a/b", nil },
	"s3":     newS3,
	"gs":     newGoogle,
}

func newS3(t testing.TB) (string, *Front) {
	f := &Front{Behind: storetest.S3(t, "bucket")}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return "s3://bucket/some/prefix?region=us-east-1&endpoint=" + server.URL, f
}

func newGoogle(t testing.TB) (string, *Front) {
	f := new(Front)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.Behind = storetest.Google(t, "bucket", server.URL)
	return "gs://bucket/some/prefix?anonymous=true&endpoint=" + server.URL, f
}

// Files maps the path of every file in a place to its content.
func Files(t testing.TB, place string) map[string]string {
	t.Helper()
	root, err := store.At(place)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	read(t, all, root, "")
	return all
}

func read(t testing.TB, all map[string]string, root store.Store, folder string) {
	t.Helper()
	files, folders, err := root.List(context.Background(), folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		data, err := root.Read(context.Background(), path.Join(folder, name), 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		all[path.Join(folder, name)] = string(data)
	}
	for _, name := range folders {
		read(t, all, root, path.Join(folder, name))
	}
}
